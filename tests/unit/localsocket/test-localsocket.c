#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/localsocket/localsocket.h"

static char *folder, *path;

static int make_folder(void **state)
{
    folder = g_dir_make_tmp("localsocket-XXXXXX", NULL);
    path = g_build_filename(folder, "s", NULL);
    return folder ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void) unlink(path);
    (void) rmdir(folder);
    g_free(path);
    g_free(folder);
    return 0;
}

static void a_listener_is_met(void **state)
{
    static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        struct stat st;
        uid_t uid;
        int fd = localsocket_listen(path, types[i], 0640, NULL, &error);    /* the second replaces the first's path */
        assert_true(fd >= 0);
        assert_null(error);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        int client = localsocket_connect(path, types[i]);
        assert_true(client >= 0);
        int met = accept(fd, NULL, NULL);
        assert_true(met >= 0);
        assert_true(localsocket_peer(met, &uid));
        assert_int_equal(uid, getuid());
        (void) close(met);
        (void) close(client);
        (void) close(fd);
    }
}

static void datagrams_name_their_sender(void **state)
{
    int fd = localsocket_listen(path, SOCK_DGRAM, 0666, NULL, NULL);
    assert_true(fd >= 0);
    int client = localsocket_connect(path, SOCK_DGRAM);
    assert_true(client >= 0);
    assert_int_equal(send(client, "x", 1, 0), 1);
    char byte, control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    assert_int_equal(recvmsg(fd, &m, 0), 1);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    assert_non_null(c);
    assert_int_equal(c->cmsg_type, SCM_CREDENTIALS);
    (void) close(client);
    (void) close(fd);
}

static void what_cannot_be_is_said(void **state)
{
    g_autofree char *long_path = g_strnfill(200, 'a'), *absent = g_build_filename(folder, "no", "such", NULL);
    g_autoptr(GError) too_long = NULL, no_group = NULL, no_folder = NULL;
    assert_int_equal(localsocket_listen(long_path, SOCK_STREAM, 0600, NULL, &too_long), -ENAMETOOLONG);
    assert_non_null(too_long);
    assert_int_equal(localsocket_connect(long_path, SOCK_STREAM), -ENAMETOOLONG);
    assert_int_equal(localsocket_listen(path, SOCK_STREAM, 0600, "no-such-group", &no_group), -ENOENT);
    assert_non_null(strstr(no_group->message, "no-such-group"));
    assert_int_equal(localsocket_listen(absent, SOCK_STREAM, 0600, NULL, &no_folder), -ENOENT);
    assert_non_null(strstr(no_folder->message, absent));
    assert_int_equal(localsocket_connect(absent, SOCK_STREAM), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_met),
        cmocka_unit_test(datagrams_name_their_sender),
        cmocka_unit_test(what_cannot_be_is_said),
    };
    return cmocka_run_group_tests_name("localsocket", tests, make_folder, drop_folder);
}
