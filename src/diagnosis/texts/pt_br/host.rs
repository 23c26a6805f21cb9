//! Brazilian Portuguese: the machine the agent runs on.

use crate::diagnosis::texts::Text;

pub(super) const SUBPATH_MOUNT: Text = Text {
    title: "o certificado está montado com subPath e nunca muda",
    meaning: "{file}: {found}. O Kubernetes não atualiza o que é montado com `subPath`: o Secret é trocado, este arquivo fica, e um dia os navegadores \
              veem um certificado vencido (1006). Nenhum agente enxerga uma mudança que nunca chega.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ kubectl get pod POD -o yaml | grep -n -B3 -A3 subPath",
    remedy: "Monte o Secret inteiro como diretório, sem `subPath`, também no contêiner do Asterisk, e aponte para os arquivos dele:\n\
             | volumeMounts:\n\
             |   - {name: tls, mountPath: /tls, readOnly: true}",
};

pub(super) const FILE_MOUNT: Text = Text {
    title: "o arquivo está montado sozinho, e pode nunca mudar",
    meaning: "{file}: {found}. Uma montagem assim fica com aquele exato arquivo: quando uma renovação põe um arquivo novo no lugar (Certbot, acme.sh, \
              editores e `mv` fazem isso), aqui se continua vendo o velho, até que os navegadores encontrem um certificado vencido (1006). Só \
              chega o que é gravado no próprio arquivo.",
    see: "$ grep -E 'tls|crt|pem' /proc/self/mountinfo\n\
          $ docker inspect -f '{{json .Mounts}}' CONTAINER",
    remedy: "Monte a pasta, não o arquivo, também no contêiner do Asterisk. Para o Certbot monte /etc/letsencrypt inteiro, pois seus links levam de \
             `live` a `archive`. No compose.yaml:\n\
             | volumes:\n\
             |   - /etc/letsencrypt:/etc/letsencrypt:ro",
};

pub(super) const PUBLISH_NOT_SHARED: Text = Text {
    title: "o contêiner do Asterisk não vê o que é publicado",
    meaning: "{path} fica no próprio contêiner do agente ({found}), e em nenhum volume. Um Asterisk em outro contêiner vê outra pasta, ou nenhuma: \
              o que é publicado ali nunca chega aos navegadores, e um reload não muda nada.",
    see: "$ findmnt -T {path}\n\
          $ kubectl exec POD -c asterisk -- ls -la {path}",
    remedy: "Monte um mesmo volume nos dois contêineres, no do Asterisk só para leitura. No Kubernetes:\n\
             | volumes:\n\
             |   - {name: published, emptyDir: {medium: Memory}}\n\
             | volumeMounts:\n\
             |   - {name: published, mountPath: {path}}\n\
             No compose.yaml, para os dois serviços:\n\
             | volumes:\n\
             |   - published:{path}",
};

pub(super) const PUBLISH_NOT_READ: Text = Text {
    title: "o http.conf não aponta para os arquivos publicados",
    meaning: "O agente publica pares verificados em {path}, mas {file} aponta para {found}, que o Asterisk então lê no lugar deles. Certificados novos \
              não chegam aos navegadores, ou chegam sem verificação: um ruim derruba o WSS no próximo reinício (1006).",
    see: "$ grep -nE '^ *(tls|ssl)' {file}\n\
          $ ls -la {path}",
    remedy: "Em {file}, sob [general] (ou o caminho em que o contêiner do Asterisk tem a pasta montada), e nunca mais mude:\n\
             | tlscertfile = {path}/fullchain.pem\n\
             | tlsprivatekey = {path}/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
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
    meaning: "Pelo relógio daqui agora é {now}, e {reason}. Certificados são avaliados pelo relógio, portanto um bom pode parecer vencido ou ainda não \
              válido, e um ruim, bom.",
    see: "$ date -u\n\
          $ timedatectl\n\
          $ chronyc tracking",
    remedy: "Mande acertar o relógio da máquina (contêineres usam o do nó):\n\
             $ timedatectl set-ntp true",
};

pub(super) const PUBLISH_FAILED: Text = Text {
    title: "o certificado verificado não pôde ser publicado",
    meaning: "O par novo é bom, mas publicá-lo falhou em {file}: {found}. O Asterisk ainda tem o par anterior e continua a servi-lo até que \
              expire. O agente tenta de novo sozinho.",
    see: "$ ls -la {file}\n\
          $ dmesg | tail",
    remedy: "Corrija o que foi encontrado. Se outro processo está publicando, deixe um único agente publicar em cada pasta. Se for erro de \
             entrada/saída, troque o disco ou use um tmpfs:\n\
             | emptyDir: {medium: Memory}",
};

pub(super) const PUBLISH_FOREIGN_FILE: Text = Text {
    title: "outra coisa ocupa o nome necessário para publicar",
    meaning: "`current`, `fullchain.pem`, `privkey.pem` e `combined.pem` precisam ser links do próprio agente. Em {file} há {found}. Nada foi \
              alterado, pois pode ser a única cópia de alguém; o Asterisk mantém o par anterior.",
    see: "$ ls -la {file}\n\
          $ readlink {file}",
    remedy: "Dê ao agente uma pasta só dele e aponte o http.conf para os arquivos de lá; ou, se ninguém precisa do que está ali, mova-o.\n\
             $ mv {file} {file}.old",
};

pub(super) const PUBLISH_NO_SPACE: Text = Text {
    title: "sem espaço para publicar o certificado",
    meaning: "O sistema de arquivos de {file} (ou sua cota, ou seu número de arquivos) está cheio. Até três gerações ficam ali ao mesmo tempo, \
              cerca de 20 KiB cada. O Asterisk mantém o par anterior.",
    see: "$ df -h {file}\n\
          $ df -i {file}",
    remedy: "Libere espaço, ou aumente o tmpfs: 1 MiB é de sobra.\n\
             | emptyDir: {medium: Memory, sizeLimit: 1Mi}",
};

pub(super) const PUBLISH_READ_ONLY: Text = Text {
    title: "a pasta de publicação é somente leitura",
    meaning: "O sistema de arquivos de {file} está montado somente leitura para o agente: um volume de Secret ou ConfigMap sempre está, a raiz de um \
              contêiner muitas vezes está, e um disco fica assim depois de erros. O Asterisk mantém o par anterior.",
    see: "$ findmnt -T {file}",
    remedy: "Publique em um volume que o agente possa gravar e que o Asterisk monte somente leitura, nunca na própria montagem do Secret.\n\
             | emptyDir: {medium: Memory}",
};

pub(super) const PUBLISH_NOT_PERMITTED: Text = Text {
    title: "o agente não pode gravar, ou transferir, o que publica",
    meaning: "Ou o usuário do agente não pode gravar em {file}, ou `publish.uid` ou `publish.gid` indicam um dono a quem ele não pode transferir \
              arquivos: {found}. Só root transfere um arquivo a outro usuário; um grupo pode ser dado por seus membros. O Asterisk mantém o par anterior.",
    see: "$ ls -ldn {file}\n\
          $ id",
    remedy: "No Kubernetes rode os dois contêineres com um mesmo `fsGroup`, e omita `uid` e `gid`. Fora dele torne o agente membro do grupo do \
             Asterisk, e defina só `gid`.\n\
             $ usermod -aG asterisk starkeeper",
};

pub(super) const PUBLISH_DIRECTORY_MISSING: Text = Text {
    title: "a pasta de publicação não existe",
    meaning: "Falta mais do que o último componente de {file}. O agente cria só o último: um caminho mais longo que falta quase sempre significa um \
              volume não montado, e o que fosse gravado ali nunca chegaria ao Asterisk.",
    see: "$ ls -ld {file}\n\
          $ findmnt -T {file}",
    remedy: "Monte o volume também no contêiner do agente, no mesmo caminho que no do Asterisk, ou corrija `certificate.publish.directory`. Em uma \
             máquina comum:\n\
             $ mkdir -p {file}",
};

pub(super) const NOTIFICATION_FAILING: Text = Text {
    title: "alguém que deve ser avisado não pode ser avisado",
    meaning: "O destinatário {name} não recebe notificações: {reason}. O que há para avisar espera, o mais novo de cada coisa, e é enviado de novo e de \
              novo, cada vez mais devagar, ao menos uma vez por minuto. Certificados e navegadores não são afetados.",
    see: "$ starkeeper notify --test --receiver {name}",
    remedy: "Corrija o que o motivo diz: o endereço do destinatário, o segredo dele (um arquivo é lido de novo a cada tentativa), o certificado dele, ou \
             a rede no caminho. Depois teste:\n\
             $ starkeeper notify --test --receiver {name}",
};
