//! Brazilian Portuguese: the machine the agent runs on.

use crate::diagnosis::texts::Text;

pub(super) const SUBPATH_MOUNT: Text = Text {
    title: "o certificado está montado com subPath e nunca muda",
    meaning: "O Kubernetes não atualiza arquivos montados com `subPath`: o Secret é trocado, este arquivo fica, e um dia os navegadores veem um certificado \
              vencido (1006). Nenhum agente enxerga uma mudança que nunca chega.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ kubectl get pod POD -o yaml | grep -n -B3 -A3 subPath",
    remedy: "Monte o Secret inteiro como diretório:\n\
             | volumeMounts:\n\
             |   - {name: tls, mountPath: /tls, readOnly: true}",
};

pub(super) const WATCH_UNAVAILABLE: Text = Text {
    title: "mudanças não podem ser vigiadas; os arquivos são relidos",
    meaning: "O inotify não está disponível aqui: {reason}. O agente lê então os arquivos uma vez por segundo, de modo que uma rotação apenas é notada um \
              pouco mais tarde. Os navegadores não são afetados.",
    see: "$ sysctl fs.inotify\n\
          $ find /proc/[0-9]*/fd -lname 'anon_inode:inotify' 2>/dev/null | wc -l\n\
          $ stat -f {file}",
    remedy: "No nó, aumente os limites (todos os contêineres de um usuário os dividem). Em sistemas de arquivos de rede a releitura é o jeito certo, \
             e não há nada a fazer.\n\
             $ sysctl -w fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288",
};

pub(super) const CLOCK_SKEWED: Text = Text {
    title: "o relógio está errado",
    meaning: "Pelo relógio daqui agora é {now}, o que não pode ser: {reason}. Certificados são avaliados pelo relógio, portanto um bom pode parecer vencido \
              ou ainda não válido.",
    see: "$ date -u\n\
          $ timedatectl\n\
          $ chronyc tracking",
    remedy: "Mande acertar o relógio da máquina (contêineres usam o do nó):\n\
             $ timedatectl set-ntp true",
};
