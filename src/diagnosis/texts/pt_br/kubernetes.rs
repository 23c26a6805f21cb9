//! Brazilian Portuguese: the cluster that the agent runs in.

use crate::diagnosis::texts::Text;

pub(super) const KUBERNETES_FORBIDDEN: Text = Text {
    title: "o cluster não permite o que o agente deveria fazer nele",
    meaning: "Falta à conta de serviço do pod: {missing}. O que depende disso fica parado, e é pedido de novo de tempos em tempos. O \
              certificado é cuidado do mesmo jeito; os navegadores não são afetados.",
    see: "$ kubectl auth can-i --list -n {namespace} --as system:serviceaccount:{namespace}:{user}",
    remedy: "Acrescente o que falta à Role de {user} (o `rbac.create` do chart faz isso), ou desligue o que não deseja:\n\
             | kubernetes: {events: off, condition: off, nudge: off, rotation: {order: off}}",
};

pub(super) const KUBERNETES_UNREACHABLE: Text = Text {
    title: "o servidor de API do cluster não responde",
    meaning: "Em {address}: {reason}. Certificados continuam sendo verificados, carregados e provados; Events esperam, a condição do pod pode estar velha, \
              e um Secret novo chega no ritmo do kubelet. O agente tenta de novo sozinho.",
    see: "$ kubectl get --raw /readyz\n\
          $ kubectl get networkpolicy -n {namespace}",
    remedy: "Se o cluster está bem, deixe o pod alcançá-lo: uma NetworkPolicy de saída precisa permitir o endereço do servidor de API. Se o agente \
             não deve ter nada com ele:\n\
             | kubernetes: {events: off, condition: off, nudge: off, rotation: {order: off}}",
};

pub(super) const SECRET_IMMUTABLE: Text = Text {
    title: "o Secret é imutável: o pod nunca vê um novo",
    meaning: "O Secret {name} diz `immutable: true`. Seus dados não podem mudar, e o kubelet nem olha: se for apagado e criado de novo, este pod \
              mantém os arquivos antigos até ser substituído, e um dia os navegadores veem um certificado vencido (1006).",
    see: "$ kubectl get secret {name} -n {namespace} -o jsonpath={.immutable}",
    remedy: "Crie o Secret sem `immutable`, com o mesmo nome, e substitua os pods uma vez:\n\
             $ kubectl delete pod {pod} -n {namespace}",
};

pub(super) const VOLUME_NOT_WATCHED: Text = Text {
    title: "o volume do certificado não pode ser apressado",
    meaning: "Os arquivos vêm de {found}, não de um Secret que o agente possa vigiar. Um certificado novo chega quando o driver desse volume o \
              traz; então é notado na hora, como em qualquer lugar.",
    see: "$ kubectl get pod {pod} -n {namespace} -o jsonpath={.spec.volumes}",
    remedy: "Não há nada a fazer. Para que isso nem seja perguntado:\n\
             | kubernetes: {nudge: off}",
};

pub(super) const VOLUME_LAGGING: Text = Text {
    title: "o Secret é mais novo que os arquivos do pod",
    meaning: "O Secret {name} mudou há mais de dois minutos, e os arquivos montados ainda são os antigos. O kubelet os traz em cerca de um minuto, e na \
              hora quando é cutucado: está travado, ou a montagem nunca muda. Os navegadores recebem o certificado antigo.",
    see: "$ kubectl get events -n {namespace} --field-selector involvedObject.name={pod}\n\
          $ ls -la {path}",
    remedy: "Veja se o nó está Ready e se o kubelet dele está bem. A montagem deve ser do Secret inteiro, sem `subPath`. Um pod criado de novo já \
             tem os arquivos novos:\n\
             $ kubectl delete pod {pod} -n {namespace}",
};

pub(super) const ROTATION_WAITING: Text = Text {
    title: "o certificado novo espera a sua vez",
    meaning: "As réplicas carregam um certificado novo uma depois da outra, e agora é a vez de {pod}. Esta continua servindo o antigo, e carrega o novo \
              assim que for provado lá.",
    see: "$ kubectl get lease -n {namespace} -o yaml",
    remedy: "Não há nada a fazer. Para que todas carreguem ao mesmo tempo:\n\
             | kubernetes: {rotation: {order: off}}",
};

pub(super) const ROTATION_STOPPED: Text = Text {
    title: "o certificado novo não foi provado em outra réplica",
    meaning: "O pod {pod} carregou o certificado novo, e ele não foi visto na rede: {found}. Para que nem todas apaguem, esta mantém o antigo, que os \
              navegadores ainda recebem, até que o novo seja provado lá ou o Secret mude.",
    see: "$ kubectl logs {pod} -n {namespace} --all-containers --tail=50\n\
          $ kubectl get lease -n {namespace} -o yaml",
    remedy: "Corrija o que está errado em {pod}; as outras seguem sozinhas. Ou devolva o certificado anterior ao Secret. Para carregá-lo aqui mesmo \
             assim:\n\
             | kubernetes: {rotation: {order: off}}",
};
