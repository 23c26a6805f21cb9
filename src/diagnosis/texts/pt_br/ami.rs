//! Brazilian Portuguese: the Asterisk Manager Interface and the reload.

use crate::diagnosis::texts::Text;

pub(super) const AMI_REFUSED: Text = Text {
    title: "ninguém escuta no endereço do manager",
    meaning: "A conexão com o AMI em {address} foi recusada. As chamadas e o certificado servido não são afetados, mas nenhum certificado novo \
              pode ser carregado até o AMI responder. O Asterisk está parado, o AMI está desligado ou escuta em outro lugar.",
    see: "$ ss -ltnp 'sport = :5038'\n\
          $ asterisk -rx 'manager show settings'",
    remedy: "Ligue o AMI no manager.conf, no loopback quando o agente divide a rede com o Asterisk:\n\
             | [general]\n\
             | enabled = yes\n\
             | port = 5038\n\
             | bindaddr = 127.0.0.1\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_TIMEOUT: Text = Text {
    title: "o manager não responde a tempo",
    meaning: "{address} aceitou a conexão, ou a engoliu, e depois ficou calado. Ou algo descarta os pacotes, ou o Asterisk está parado ou \
              travado; nesse caso os navegadores também não conectam.",
    see: "Deve aparecer `Asterisk Call Manager`:\n\
          $ curl -s -m 3 telnet://{address}\n\
          $ asterisk -rx 'core show uptime'\n\
          $ ps -o pid,stat,time,args -C asterisk",
    remedy: "Se o console também não responder, reinicie o Asterisk (isso derruba as chamadas); senão, abra o caminho até a porta.\n\
             $ systemctl restart asterisk\n\
             $ kubectl delete pod POD",
};

pub(super) const AMI_NOT_AMI: Text = Text {
    title: "quem responde no endereço do manager não é o AMI",
    meaning: "{address} não cumprimenta com `Asterisk Call Manager`: é outro serviço, a porta HTTP, ou a porta TLS do AMI usada sem TLS.",
    see: "$ curl -s -m 3 telnet://{address}\n\
          $ asterisk -rx 'manager show settings'",
    remedy: "Indique a porta do próprio AMI: 5038 sem TLS, 5039 com TLS.\n\
             | asterisk:\n\
             |   ami: {address: 127.0.0.1:5038}",
};

pub(super) const AMI_AUTH_FAILED: Text = Text {
    title: "o manager recusa o login",
    meaning: "O Asterisk respondeu `Authentication failed` a {user}. Ele diz o mesmo para um usuário desconhecido, um segredo errado e um endereço \
              barrado por `deny` ou `permit`. Nenhum certificado novo pode ser carregado até que ele deixe o agente entrar.",
    see: "$ asterisk -rx 'manager show user {user}'\n\
          $ grep -n -A8 -F '[{user}]' /etc/asterisk/manager.conf",
    remedy: "Deixe usuário e segredo iguais no manager.conf e nas configurações do agente, e permita o endereço do agente:\n\
             | [{user}]\n\
             | secret = UM-SEGREDO-LONGO-E-ALEATORIO\n\
             | read = system\n\
             | write = system\n\
             | deny = 0.0.0.0/0.0.0.0\n\
             | permit = 127.0.0.1/255.255.255.255\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_PERMISSION_DENIED: Text = Text {
    title: "o usuário do manager não pode recarregar módulos",
    meaning: "O login funciona, mas o usuário {user} não tem a classe de que um reload precisa: o Asterisk respondeu `Permission denied`. \
              Certificados novos são avaliados e não são carregados.",
    see: "$ asterisk -rx 'manager show user {user}'",
    remedy: "No manager.conf, na seção desse usuário (a classe `system` basta; `command` não é necessária):\n\
             | read = system\n\
             | write = system\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_BOOTING: Text = Text {
    title: "o Asterisk ainda está subindo",
    meaning: "O reload está na fila: o Asterisk o faz quando todos os módulos estiverem carregados. Isso é espera, não sucesso, e nada está errado \
              ainda.",
    see: "$ asterisk -rx 'core show uptime'",
    remedy: "Não é preciso fazer nada. Se durar mais de um minuto, veja o que o Asterisk espera:\n\
             $ asterisk -rx 'core waitfullybooted'\n\
             $ asterisk -rx 'module show' | grep 'Not Running'",
};

pub(super) const AMI_TLS_FAILED: Text = Text {
    title: "o TLS com o manager falha",
    meaning: "{address} aceita a conexão e dela não sai uma sessão TLS: {reason}. Ou essa porta não fala TLS, ou o certificado dela está vencido, não \
              é confiável ou é de outro nome. O Asterisk não carrega um certificado novo para o AMI enquanto não reler o manager.conf.",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ asterisk -rx 'manager show settings' | grep -i tls",
    remedy: "Conserte o certificado que o manager.conf indica e ponha esta linha em [general]: ela indica um arquivo que não deve existir e faz \
             todo reload reler o manager.conf e, com ele, o certificado.\n\
             | #tryinclude starkeeper.absent\n\
             $ asterisk -rx 'module reload manager'",
};

pub(super) const AMI_PLAINTEXT_REMOTE: Text = Text {
    title: "o manager é acessado em texto claro",
    meaning: "O AMI em {address} não está nesta máquina nem usa TLS: quem escuta no caminho lê a sessão e, com `auth: plain`, também o segredo. Os \
              navegadores não são afetados.",
    see: "$ asterisk -rx 'manager show settings' | grep -iE 'bind|tls'",
    remedy: "Rode o agente ao lado do Asterisk (mesmo pod, ou a rede do host) e use o loopback:\n\
             | asterisk:\n\
             |   ami: {address: 127.0.0.1:5038}\n\
             Ou ligue o TLS no manager.conf, e aqui:\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:5039\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem",
};

pub(super) const RELOAD_MODULE_MISSING: Text = Text {
    title: "o Asterisk não tem esse módulo para recarregar",
    meaning: "O Asterisk respondeu `No such module` para {module}, embrulhado em um Success. O certificado novo não foi carregado ali. Imagens mínimas \
              também não têm o alias `pjsip reload`.",
    see: "$ asterisk -rx 'module show like {module}'\n\
          $ grep -nE '^(load|noload|autoload)' /etc/asterisk/modules.conf",
    remedy: "Carregue-o, ou não peça o reload dele (`reload.pjsip: never` nas configurações).\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const RELOAD_FAILED: Text = Text {
    title: "o Asterisk não executou o reload",
    meaning: "O reload de {module} não foi feito, ou não se sabe o resultado: {reason}. O que era servido antes muito provavelmente ainda é servido; o \
              agente prova isso na porta e tenta de novo.",
    see: "$ asterisk -rx 'core show uptime'\n\
          $ tail -n 50 /var/log/asterisk/messages*",
    remedy: "Leia o que o Asterisk diz, depois tente à mão e olhe a porta, pois um reload sempre afirma ter dado certo.\n\
             $ asterisk -rx 'module reload {module}'\n\
             $ openssl s_client -connect 127.0.0.1:8089 </dev/null | openssl x509 -noout -dates",
};

pub(super) const SIP_TLS_RELOAD_UNSUPPORTED: Text = Text {
    title: "SIP TLS mantém o certificado antigo até reiniciar",
    meaning: "O Asterisk {found} não consegue recarregar o certificado do transporte {section}; 16.29, 18.15, 19.7 e 20.0 foram os primeiros que conseguem. \
              Os navegadores não são afetados: /ws já tem o novo. Telefones SIP por TLS recebem o antigo até o Asterisk iniciar de novo.",
    see: "$ asterisk -rx 'core show version'\n\
          $ openssl s_client -connect 127.0.0.1:5061 </dev/null | openssl x509 -noout -dates",
    remedy: "Atualize o Asterisk, ou deixe-o reiniciar quando não houver chamada, antes que o certificado antigo expire.\n\
             $ asterisk -rx 'core restart when convenient'",
};
