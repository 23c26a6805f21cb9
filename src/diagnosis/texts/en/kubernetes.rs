//! English: the cluster that the agent runs in.

use crate::diagnosis::texts::Text;

pub(super) const KUBERNETES_FORBIDDEN: Text = Text {
    title: "the cluster does not permit what the agent was to do there",
    meaning: "The pod's service account lacks: {missing}. What needs it rests, and is asked for again every few minutes. The certificate \
              is kept all the same; browsers are not affected.",
    see: "$ kubectl auth can-i --list -n {namespace} --as system:serviceaccount:{namespace}:{user}",
    remedy: "Add what is missing to the Role of {user} (the chart's `rbac.create` does), or turn off what you do not want:\n\
             | kubernetes: {events: off, condition: off, nudge: off, rotation: {order: off}}",
};

pub(super) const KUBERNETES_UNREACHABLE: Text = Text {
    title: "the API server of the cluster does not answer",
    meaning: "At {address}: {reason}. Certificates are still checked, loaded and proved; Events wait, the pod condition may be old, and a new Secret \
              comes as slowly as the kubelet brings it. The agent tries again by itself.",
    see: "$ kubectl get --raw /readyz\n\
          $ kubectl get networkpolicy -n {namespace}",
    remedy: "If the cluster is well, let the pod reach it: a NetworkPolicy for egress must allow the API server's address. Where the agent is to \
             have nothing to do with it:\n\
             | kubernetes: {events: off, condition: off, nudge: off, rotation: {order: off}}",
};

pub(super) const SECRET_IMMUTABLE: Text = Text {
    title: "the Secret is immutable: the pod never sees a new one",
    meaning: "The Secret {name} says `immutable: true`. Its data cannot change, and the kubelet does not even look: if it is deleted and made anew, this \
              pod keeps the old files until it is replaced, and one day browsers see an expired certificate (1006).",
    see: "$ kubectl get secret {name} -n {namespace} -o jsonpath={.immutable}",
    remedy: "Make the Secret without `immutable`, under its own name, and replace the pods once:\n\
             $ kubectl delete pod {pod} -n {namespace}",
};

pub(super) const VOLUME_NOT_WATCHED: Text = Text {
    title: "the certificate's volume cannot be hurried",
    meaning: "The files come from {found}, not from a Secret that the agent could watch. A new certificate arrives when the driver of that volume \
              brings it; then it is noticed at once, as anywhere else.",
    see: "$ kubectl get pod {pod} -n {namespace} -o jsonpath={.spec.volumes}",
    remedy: "Nothing needs doing. To have no such question asked:\n\
             | kubernetes: {nudge: off}",
};

pub(super) const VOLUME_LAGGING: Text = Text {
    title: "the Secret is newer than the files of the pod",
    meaning: "The Secret {name} changed more than two minutes ago, and the mounted files are still the old ones. The kubelet brings them within about \
              a minute, and at once when it is nudged: it is stuck, or the mount never changes. Browsers get the old certificate.",
    see: "$ kubectl get events -n {namespace} --field-selector involvedObject.name={pod}\n\
          $ ls -la {path}",
    remedy: "See whether the node is Ready and its kubelet well. The mount must be the whole Secret, without `subPath`. A pod that is made anew has \
             the new files at once:\n\
             $ kubectl delete pod {pod} -n {namespace}",
};

pub(super) const ROTATION_WAITING: Text = Text {
    title: "the new certificate waits for its turn",
    meaning: "Replicas load a new certificate one after the other, and just now it is the turn of {pod}. This one goes on serving the old one, \
              and loads the new one as soon as it was proved there.",
    see: "$ kubectl get lease -n {namespace} -o yaml",
    remedy: "Nothing needs doing. To have all load it at once:\n\
             | kubernetes: {rotation: {order: off}}",
};

pub(super) const ROTATION_STOPPED: Text = Text {
    title: "the new certificate was not proved on another replica",
    meaning: "The pod {pod} loaded the new certificate, and it was not seen on the wire: {found}. So that not all go dark, this one keeps the old one, \
              which browsers still get, until the new one is proved there or the Secret changes.",
    see: "$ kubectl logs {pod} -n {namespace} --all-containers --tail=50\n\
          $ kubectl get lease -n {namespace} -o yaml",
    remedy: "Mend what is wrong on {pod}; the others follow by themselves. Or put the former certificate back into the Secret. To load it here all \
             the same:\n\
             | kubernetes: {rotation: {order: off}}",
};
