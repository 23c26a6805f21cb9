//! English: the machine the agent runs on.

use crate::diagnosis::texts::Text;

pub(super) const SUBPATH_MOUNT: Text = Text {
    title: "the certificate is mounted with subPath and never changes",
    meaning: "Kubernetes does not update files that are mounted with `subPath`: the Secret rotates, this file stays, and one day browsers see an expired \
              certificate (1006). No agent can see a change that never comes.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ kubectl get pod POD -o yaml | grep -n -B3 -A3 subPath",
    remedy: "Mount the whole Secret as a directory:\n\
             | volumeMounts:\n\
             |   - {name: tls, mountPath: /tls, readOnly: true}",
};

pub(super) const WATCH_UNAVAILABLE: Text = Text {
    title: "file changes cannot be watched, so they are polled",
    meaning: "inotify is not to be had here: {reason}. The agent reads the files once a second instead, so a rotation is merely noticed a little \
              later. Browsers are not affected.",
    see: "$ sysctl fs.inotify\n\
          $ find /proc/[0-9]*/fd -lname 'anon_inode:inotify' 2>/dev/null | wc -l\n\
          $ stat -f {file}",
    remedy: "On the node, raise the limits (they are shared by all containers of a user). On network file systems polling is the right way, \
             and nothing needs doing.\n\
             $ sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288",
};

pub(super) const CLOCK_SKEWED: Text = Text {
    title: "the clock is wrong",
    meaning: "By the clock here it is {now}, which cannot be: {reason}. Certificates are judged by the clock, so a good one may look expired or not \
              yet valid.",
    see: "$ date -u\n\
          $ timedatectl\n\
          $ chronyc tracking",
    remedy: "Have the machine's clock set (containers share the node's):\n\
             $ timedatectl set-ntp true",
};
