"""The lab itself: hosts boot, find each other by name, stop, and keep a saved state."""
from lab.lab import wait_for


def test_two_hosts_reach_each_other_by_name(lab):
    one = lab.boot("one.example.test", 41)
    two = lab.boot("two.example.test", 42)
    try:
        assert one.run("hostname", "-f").strip() == "one.example.test"
        one.run("systemd-run", "-q", "--unit=greeter", "systemd-socket-activate", "-l", "7007", "--inetd", "-a",
                "echo", "hello from one")
        wait_for(lambda: ":7007 " in one.run("ss", "-ltn"), 10, "listener")
        assert two.run("bash", "-c", "cat < /dev/tcp/one.example.test/7007").strip() == "hello from one"
    finally:
        lab.forget(one)
        lab.forget(two)


def test_saved_state_is_there_at_the_next_boot(lab):
    h = lab.boot("keeper.example.test", 43)
    h.write("/opt/zimbra/data/kept", "yes\n")
    lab.save(h, "kept")
    again = lab.boot("keeper.example.test", 43, "kept")
    try:
        assert again.read("/opt/zimbra/data/kept") == "yes\n"
        assert again.run("stat", "-c", "%U", "/opt/zimbra/store").strip() == "zmstore"
    finally:
        lab.forget(again)


def test_failing_command_names_itself(bare):
    r = bare.try_run("false")
    assert r.returncode == 1
    assert "zmauth" in bare.run("id", "zmauth")
    assert "zimbra" in bare.run("id", "-Gn", "zmauth").split()
