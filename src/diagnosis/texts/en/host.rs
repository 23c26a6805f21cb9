//! English: the machine the agent runs on.

use crate::diagnosis::texts::Text;

pub(super) const SUBPATH_MOUNT: Text = Text {
    title: "the certificate is mounted with subPath and never changes",
    meaning: "{file}: {found}. Kubernetes does not update what is mounted with `subPath`: the Secret rotates, this file stays, and one day browsers \
              see an expired certificate (1006). No agent can see a change that never comes.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ kubectl get pod POD -o yaml | grep -n -B3 -A3 subPath",
    remedy: "Mount the whole Secret as a directory, without `subPath`, in Asterisk's container too, and name the files in it:\n\
             | volumeMounts:\n\
             |   - {name: tls, mountPath: /tls, readOnly: true}",
};

pub(super) const FILE_MOUNT: Text = Text {
    title: "the file is mounted by itself, and may never change",
    meaning: "{file}: {found}. Such a mount stays with that very file: when a renewal puts a new file in its place (Certbot, acme.sh, editors and \
              `mv` all do), the old one goes on being seen here, until browsers meet an expired certificate (1006). Only a file that is written in \
              place arrives.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ docker inspect -f '{{json .Mounts}}' CONTAINER",
    remedy: "Mount the folder, not the file, in Asterisk's container too. For Certbot mount all of /etc/letsencrypt, since its links lead from `live` to \
             `archive`. In compose.yaml:\n\
             | volumes:\n\
             |   - /etc/letsencrypt:/etc/letsencrypt:ro",
};

pub(super) const PUBLISH_NOT_SHARED: Text = Text {
    title: "Asterisk's container does not see what is published",
    meaning: "{path} lies in the agent's own container ({found}), and on no volume. An Asterisk in a container of its own sees another folder, or \
              none: what is published there never reaches browsers, and a reload changes nothing.",
    see: "$ findmnt -T {path}\n\
          $ kubectl exec POD -c asterisk -- ls -la {path}",
    remedy: "Mount one volume into both containers, for Asterisk read-only. In Kubernetes:\n\
             | volumes:\n\
             |   - {name: published, emptyDir: {medium: Memory}}\n\
             | volumeMounts:\n\
             |   - {name: published, mountPath: {path}}\n\
             In compose.yaml, for both services:\n\
             | volumes:\n\
             |   - published:{path}",
};

pub(super) const PUBLISH_NOT_READ: Text = Text {
    title: "http.conf does not name the published files",
    meaning: "The agent publishes checked pairs into {path}, but {file} names {found}, which Asterisk then reads instead. New certificates do not \
              reach browsers, or reach them unchecked: a bad one takes WSS down at the next restart (1006).",
    see: "$ grep -nE '^ *(tls|ssl)' {file}\n\
          $ ls -la {path}",
    remedy: "In {file}, under [general] (or the path at which Asterisk's container has the folder mounted), and never change it again:\n\
             | tlscertfile = {path}/fullchain.pem\n\
             | tlsprivatekey = {path}/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
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
    meaning: "By the clock here it is {now}, and {reason}. Certificates are judged by the clock, so a good one may look expired or not yet valid, \
              and a bad one good.",
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

pub(super) const NOTIFICATION_FAILING: Text = Text {
    title: "somebody who is to be told cannot be told",
    meaning: "The receiver {name} takes no notifications: {reason}. What is to be told waits, the newest of each thing, and is sent again and again, ever \
              more slowly, at least once a minute. Certificates and browsers are not affected.",
    see: "$ starkeeper notify --test --receiver {name}",
    remedy: "Mend what the reason says: the receiver's address, its secret (a file is read again at each try), its certificate, or the network between. \
             Then try it:\n\
             $ starkeeper notify --test --receiver {name}",
};
