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

pub(super) const PUBLISH_FAILED: Text = Text {
    title: "the checked certificate could not be published",
    meaning: "The new pair is good, but publishing it failed at {file}: {found}. Asterisk still has the pair from before, and goes on serving it \
              until it expires. The agent tries again by itself.",
    see: "$ ls -la {file}\n\
          $ dmesg | tail",
    remedy: "Mend what was found. Where another process is publishing, let one agent alone publish into each folder. For an input/output error \
             replace the disk, or use a tmpfs:\n\
             | emptyDir: {medium: Memory}",
};

pub(super) const PUBLISH_FOREIGN_FILE: Text = Text {
    title: "something else has the name that publishing needs",
    meaning: "`current`, `fullchain.pem`, `privkey.pem` and `combined.pem` must be links of the agent's own. At {file} there is {found}. Nothing \
              was changed, since it may be somebody's only copy; Asterisk keeps the pair from before.",
    see: "$ ls -la {file}\n\
          $ readlink {file}",
    remedy: "Give the agent a folder of its own, and name its files in http.conf; or, if nobody needs what is there, move it away.\n\
             $ mv {file} {file}.old",
};

pub(super) const PUBLISH_NO_SPACE: Text = Text {
    title: "no room to publish the certificate",
    meaning: "The file system of {file} (or its quota, or its number of files) is full. Up to three generations stand there at once, about \
              20 KiB each. Asterisk keeps the pair from before.",
    see: "$ df -h {file}\n\
          $ df -i {file}",
    remedy: "Make room, or the tmpfs larger: 1 MiB is plenty.\n\
             | emptyDir: {medium: Memory, sizeLimit: 1Mi}",
};

pub(super) const PUBLISH_READ_ONLY: Text = Text {
    title: "the folder to publish into is read-only",
    meaning: "The file system of {file} is mounted read-only for the agent: a Secret or ConfigMap volume always is, a container's root often is, \
              and a disk becomes so after errors. Asterisk keeps the pair from before.",
    see: "$ findmnt -T {file}",
    remedy: "Publish into a volume that the agent may write to and that Asterisk mounts read-only, never into the Secret's own mount.\n\
             | emptyDir: {medium: Memory}",
};

pub(super) const PUBLISH_NOT_PERMITTED: Text = Text {
    title: "the agent may not write, or give away, what it publishes",
    meaning: "Either the agent's user may not write at {file}, or `publish.uid` or `publish.gid` name an owner that it may not give files to: \
              {found}. Only root gives a file to another user; a group can be given by its members. Asterisk keeps the pair from before.",
    see: "$ ls -ldn {file}\n\
          $ id",
    remedy: "In Kubernetes run both containers with one `fsGroup`, and leave `uid` and `gid` out. Elsewhere make the agent a member of Asterisk's \
             group, and set `gid` alone.\n\
             $ usermod -aG asterisk starkeeper",
};

pub(super) const PUBLISH_DIRECTORY_MISSING: Text = Text {
    title: "the folder to publish into is not there",
    meaning: "More than the last component of {file} is missing. The agent creates only the last one: a longer missing path mostly means that a \
              volume is not mounted, and what is written there would never reach Asterisk.",
    see: "$ ls -ld {file}\n\
          $ findmnt -T {file}",
    remedy: "Mount the volume in the agent's container too, at the same path as in Asterisk's, or correct `certificate.publish.directory`. On a \
             bare host:\n\
             $ mkdir -p {file}",
};
