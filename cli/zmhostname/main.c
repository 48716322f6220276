/* zmhostname: prints the name that this host has in the directory, localconfig's
 * zimbra_server_hostname. */
#include <stdio.h>

#include "lib/localconfig/localconfig.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        bool help = g_str_equal(argv[1], "-h") || g_str_equal(argv[1], "--help");
        fputs("zmhostname\n\nPrints the name that this host has in the directory.\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(localconfig) lc = localconfig_load(NULL, &error);
    if (!lc) {
        fprintf(stderr, "zmhostname: %s\n", error->message);
        return 1;
    }
    printf("%s\n", localconfig_get_or(lc, "zimbra_server_hostname", "localhost"));
    return fflush(stdout) == 0 ? 0 : 1;
}
