#!/usr/bin/env bash
# node.sh: one whole, real Kubernetes node in namespaces of its own, from what kubernetes.sh and images.sh have put into the cache.
#
#   tests/lab/node.sh up DIR       starts it; DIR/admin.conf is the administrator's KUBECONFIG, good from this machine
#   tests/lab/node.sh down DIR     ends it; DIR is left for reading its logs
#   tests/lab/node.sh run DIR      the same in the foreground, ruled by lines on stdin (what tests/support/cluster.rs does):
#                                  (DIR goes with it) `import FILE.tar`, `tag FROM TO`, `stop NAME`, `start NAME` (apiserver, kubelet, …), `down`; each answered by one line
#
# Process ids, mounts, network, iptables are the node's alone: several run side by side, and all of it is gone with its first process, when
# stdin ends. This machine keeps one link (skN, 10.212.N.1) with a route to the pods (10.213.N.0/24) as long as it runs. Needs root, or sudo.
set -euo pipefail
self=$(readlink -f "$0")
lab=${XDG_CACHE_HOME:-$HOME/.cache}/starkeeper-lab
usage() { sed -n '4,7s/^# *//p' "$self" >&2; exit 2; }
[ $# -ge 2 ] || usage
[ "$(id -u)" = 0 ] || exec sudo --preserve-env -- env "HOME=$HOME" "PATH=$PATH" "$self" "$@"
export PATH=$lab/kubernetes/bin:$PATH:/usr/sbin:/sbin
verb=$1
mkdir -p "$2"
dir=$(readlink -f "$2")

# ---- outside -------------------------------------------------------------------------------------------------------------------------

up() {
  [ -p "$dir/control" ] || mkfifo "$dir/control"
  rm -f "$dir/ready"
  # Opened for both, so that it never ends by itself.
  setsid nohup env KEEP=1 "$self" run "$dir" 0<>"$dir/control" >"$dir/node.log" 2>&1 &
  local pid=$!
  echo "$pid" >"$dir/outer.pid"
  until [ -e "$dir/ready" ]; do
    kill -0 "$pid" 2>/dev/null || { echo "error: the node did not come up:" >&2; tail -n 20 "$dir/node.log" >&2; exit 1; }
    sleep 0.1
  done
  KUBECONFIG=$dir/admin.conf kubectl get nodes -o wide
}

down() {
  local pid
  pid=$(cat "$dir/outer.pid" 2>/dev/null) || exit 0
  kill -0 "$pid" 2>/dev/null || exit 0
  echo down >"$dir/control"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

# Cgroups outlive who made them: those of nodes whose first process is gone are removed.
sweep() {
  local each
  for each in /sys/fs/cgroup/starkeeper-lab-* /sys/fs/cgroup/*/starkeeper-lab-*; do
    if [ -d "$each" ] && [ ! -e "/proc/${each##*-}" ]; then find "$each" -depth -type d -exec rmdir {} + 2>/dev/null || :; fi
  done
}

run() {
  local inner pid n
  rm -f "$dir"/{ready,host.pid,link}
  sweep
  exec 3<&0
  setpriv --pdeathsig KILL -- unshare --mount --net --pid --fork --kill-child "$self" inside "$dir" <&3 &
  inner=$!
  trap 'kill -9 "$inner" 2>/dev/null' EXIT
  until [ -s "$dir/host.pid" ]; do kill -0 "$inner" 2>/dev/null || exit 1; sleep 0.01; done
  pid=$(cat "$dir/host.pid")
  # The link's name is the lock on its number: making a second one fails.
  for n in $(seq 0 250); do
    ip link add "sk$n" type veth peer name eth0 netns "$pid" 2>/dev/null && break
    [ "$n" != 250 ] || { echo "error: no free link between sk0 and sk250 (is the kernel's veth there?)" >&2; exit 1; }
  done
  ip addr add "10.212.$n.1/30" dev "sk$n"
  ip link set "sk$n" up
  ip route add "10.213.$n.0/24" via "10.212.$n.2"
  echo "$n" >"$dir/link.new"
  mv "$dir/link.new" "$dir/link"
  # What asks this script to end speaks to the node: its first process ends by itself when stdin does.
  trap '' INT TERM HUP
  local code=0
  wait "$inner" || code=$?
  trap - EXIT
  [ -e "$dir/ready" ] || { echo "error: the node did not come up:" >&2; tail -n 20 "$dir/inside.log" >&2; }
  # The last of its processes may still be on their way out of them.
  for _ in $(seq 100); do sweep; [ -n "$(find /sys/fs/cgroup -maxdepth 2 -name "starkeeper-lab-$pid")" ] || break; sleep 0.1; done
  [ -n "${KEEP:-}" ] || rm -rf "$dir"
  exit "$code"
}

# ---- inside: the first process of the namespaces -------------------------------------------------------------------------------------

daemon() { local name=$1; shift; "$@" >>"$dir/$name.log" 2>&1 </dev/null & echo $! >"$dir/$name.pid"; }

until_it() { # SECONDS COMMAND…
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || { echo "error: not within its time: $*" >&2; exit 1; }
    sleep 0.05
  done
}

inside() {
  local host
  exec 2>"$dir/inside.log"
  # /proc is still this machine's: what it calls this process.
  read -r host _ </proc/self/stat
  echo "$host" >"$dir/host.pid"
  cgroup=starkeeper-lab-$host
  until_it 30 test -e "$dir/link"
  n=$(cat "$dir/link")
  ip=10.212.$n.2
  mount --make-rshared /
  mount -t proc proc /proc
  # What the parts keep in places of their own choice is this node's alone, too.
  mkdir -p "$dir"/{log,lib}
  mount -t tmpfs tmpfs /run
  mount --bind "$dir/log" /var/log
  mount --bind "$dir/lib" /var/lib
  ip link set lo up
  ip addr add "$ip/30" dev eth0
  ip link set eth0 up
  ip route add default via "10.212.$n.1"
  sysctl -qw net.ipv4.ip_forward=1
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null || :
  cgroups
  cd "$dir"
  identify
  for part in etcd containerd apiserver; do "start_$part"; done
  export KUBECONFIG=$dir/admin.conf
  until_it 60 ctr -a "$dir/ctd.sock" version
  ctr -a "$dir/ctd.sock" -n k8s.io images import "$lab/kubernetes/images/pause.tar" >/dev/null
  ready_apiserver
  for part in manager scheduler kubelet proxy dns; do "start_$part"; done
  until_it 120 ready_node
  until_it 60 kubectl get serviceaccount default
  touch "$dir/ready"
  echo ready
  obey
}

# A cgroup of the node's own below the root, in every hierarchy of cgroup v1, or in the one of v2.
cgroups() {
  local each name
  for each in /sys/fs/cgroup /sys/fs/cgroup/*; do
    [ -e "$each/cgroup.procs" ] || continue
    # A folder of v2 below its root is somebody's cgroup, no hierarchy.
    [ "$each" = /sys/fs/cgroup ] || [ ! -e /sys/fs/cgroup/cgroup.procs ] || continue
    mkdir -p "$each/$cgroup"
    for name in cpuset.cpus cpuset.mems; do
      if [ -e "$each/$name" ]; then cat "$each/$name" >"$each/$cgroup/$name"; fi
    done
  done
  if [ -e /sys/fs/cgroup/cgroup.subtree_control ]; then
    for name in cpuset cpu io memory hugetlb pids; do
      for each in /sys/fs/cgroup "/sys/fs/cgroup/$cgroup"; do echo "+$name" >"$each/cgroup.subtree_control" 2>/dev/null || :; done
    done
  fi
}

# Who the parts are to one another: an authority, the API server's pair, the key of account tokens, the administrator's token.
identify() {
  local token
  token=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Lab Kubernetes" -keyout ca.key -out ca.crt 2>/dev/null
  openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=kube-apiserver" \
    -addext "subjectAltName=IP:$ip,IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc" \
    -addext basicConstraints=critical,CA:FALSE -keyout server.key -out server.crt 2>/dev/null
  openssl genrsa -out accounts.key 2048 2>/dev/null
  echo "$token,admin,admin,\"system:masters\"" >tokens.csv
  cat >admin.conf <<E
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: "https://$ip:6443", certificate-authority: $dir/ca.crt}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: lab, context: {cluster: lab, user: admin}}]
current-context: lab
E
}

start_etcd() {
  daemon etcd etcd --data-dir "$dir/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
}

start_apiserver() {
  daemon apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 --bind-address 0.0.0.0 --secure-port 6443 --advertise-address "$ip" \
    --tls-cert-file server.crt --tls-private-key-file server.key --service-cluster-ip-range 10.96.0.0/16 \
    --service-account-key-file accounts.key --service-account-signing-key-file accounts.key \
    --service-account-issuer https://kubernetes.default.svc --token-auth-file tokens.csv --authorization-mode RBAC \
    --allow-privileged=true --kubelet-preferred-address-types InternalIP
}
ready_apiserver() { until_it 120 kubectl get --raw /readyz; }

start_manager() {
  daemon manager kube-controller-manager --kubeconfig admin.conf --service-account-private-key-file accounts.key --root-ca-file ca.crt \
    --use-service-account-credentials=false --leader-elect=false
}

start_scheduler() { daemon scheduler kube-scheduler --kubeconfig admin.conf --leader-elect=false; }

start_containerd() {
  mkdir -p cni
  cat >cni/10-pods.conflist <<E
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam": {"type": "host-local",
   "ranges": [[{"subnet": "10.213.$n.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$dir/ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
E
  # Where nobody may lower an OOM score, containers keep the one that they would inherit.
  cat >containerd.toml <<E
version = 3
root = "$dir/containerd/root"
state = "$dir/containerd/state"
[grpc]
  address = "$dir/ctd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "localhost/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$dir/cni"
E
  daemon containerd containerd -c containerd.toml
}

# Everything about how Secrets reach pods is kubelet's default.
start_kubelet() {
  cat >kubelet.yaml <<E
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failSwapOn: false
containerRuntimeEndpoint: unix://$dir/ctd.sock
clusterDNS: [$ip]
clusterDomain: cluster.local
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
evictionHard: {memory.available: "50Mi", nodefs.available: "1Mi", imagefs.available: "1Mi"}
E
  daemon kubelet kubelet --config kubelet.yaml --kubeconfig admin.conf --root-dir "$dir/kubelet" --hostname-override node1 --node-ip "$ip"
}
ready_node() { kubectl get node node1 -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -qx True; }

start_proxy() {
  daemon proxy kube-proxy --kubeconfig admin.conf --hostname-override node1 --proxy-mode iptables --conntrack-max-per-core 0 \
    --cluster-cidr "10.213.$n.0/24"
}

# Names of Services; it runs beside the kubelet, so that there is no pod to wait for.
start_dns() {
  printf 'cluster.local:53 {\n  errors\n  kubernetes {\n    kubeconfig admin.conf lab\n  }\n}\n' >Corefile
  daemon dns coredns -conf Corefile
}

stop() {
  local pid
  pid=$(cat "$dir/$1.pid")
  kill -9 "$pid" 2>/dev/null || :
  wait "$pid" 2>/dev/null || :
}

# Ends where stdin does, and everything with it.
obey() {
  local verb what
  while read -r verb what; do
    case $verb in
      import) ctr -a "$dir/ctd.sock" -n k8s.io images import --local "$what" >>"$dir/import.log" 2>&1 && echo "imported $what" || echo "error: import of $what failed" ;;
      tag) ctr -a "$dir/ctd.sock" -n k8s.io images tag --force $what >/dev/null && echo "tagged $what" || echo "error: tagging of $what failed" ;;
      stop) stop "$what"; echo "stopped $what" ;;
      start) "start_$what"; [ "$what" != apiserver ] || ready_apiserver; echo "started $what" ;;
      down) break ;;
      *) echo "error: no such word: $verb" ;;
    esac
  done
}

case $verb in
  up | down | run | inside) "$verb" ;;
  *) usage ;;
esac
