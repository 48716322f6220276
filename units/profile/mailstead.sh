# The logins that run the appliance find its commands first.
case $(id -u) in
0 | "$(id -u zimbra 2>/dev/null)")
    PATH=/opt/zimbra/bin:$PATH:/usr/sbin:/sbin
    export PATH
    ;;
esac
