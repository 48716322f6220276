"""A person at a terminal of a host: keys in, screen out, by tmux."""
import itertools
import os
import subprocess

from .lab import wait_for

_serial = itertools.count(1)


class Terminal:
    def __init__(self, host, *argv, term="linux", width=80, height=24):
        self.socket = f"mailstead-{os.getpid()}-{next(_serial)}"
        self.status = host.lab.folder / self.socket         # tmux itself sometimes misses how a program ended
        inside = ["nsenter", "-t", str(host.leader), "-a", "--", "env", "-i", f"TERM={term}", "LANG=C.UTF-8",
                  "PATH=/opt/zimbra/bin:/usr/sbin:/usr/bin:/sbin:/bin", *argv]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                   "sh", "-c", 'trap : INT HUP; status=$1; shift; "$@"; echo $? > "$status"', "sh", str(self.status), *inside,
                   ";", "set", "remain-on-exit", "on")

    def _tmux(self, *argv):
        return subprocess.run(["tmux", "-L", self.socket, *argv], capture_output=True, text=True,
                              env=dict(os.environ, LANG="C.UTF-8"))

    def screen(self, escapes=False):
        """What stands there; of a program that ended, all that it left."""
        return self._tmux("capture-pane", "-p", *(["-e"] if escapes else []), *(["-S", "-"] if self.ended() else [])).stdout

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def answer(self, text):
        """Into a field that is emptied first."""
        self.press("C-u")
        self.type(text)
        self.press("Enter")

    def see(self, *texts, timeout=15):
        """Waits until all of TEXTS are on the screen at once; the screen, blanks and frames folded."""
        def there():
            folded = " ".join(self.screen().replace("│", " ").split())
            return folded if all(t in folded for t in texts) else None
        try:
            return wait_for(there, timeout, f"{texts} on the screen")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.screen()}") from None

    def ended(self):
        return self._tmux("display-message", "-p", "#{pane_dead}").stdout.strip() != "0"

    def exit_status(self, timeout=30):
        try:
            return int(wait_for(lambda: self.status.exists() and self.status.read_text(), timeout, "the program to end"))
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.screen()}") from None

    def close(self):
        """The window is closed: whoever runs in it gets SIGHUP."""
        self._tmux("kill-server")
