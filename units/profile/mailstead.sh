# The login zimbra finds the appliance's commands first.
if [ "$(id -un)" = zimbra ]; then
    PATH=/opt/zimbra/bin:$PATH:/usr/sbin:/sbin
    export PATH
fi
