//! Brazilian Portuguese: Asterisk's own files.

use super::websocket::SIP_OWNED_BY_CHAN_SIP;
use crate::diagnosis::texts::Text;

pub(super) const CONF_CONFLICT: Text = Text {
    title: "o que está no arquivo impede a mudança",
    meaning: "O `starkeeper configure` só acrescenta linhas, e isto não pode ser acrescentado a {file}: {reason}. Quem escreveu o que está ali \
              pode ter tido um motivo; por isso nada é alterado, e nada foi escrito.",
    see: "$ grep -nE '^ *[^; ]' {file}",
    remedy: "Altere o trecho à mão para que diga o que é esperado, ou deixe o pedido de lado; depois olhe de novo:\n\
             $ starkeeper configure",
};

pub(super) const CONF_UNPARSABLE_LINE: Text = Text {
    title: "o Asterisk não entende uma linha da configuração",
    meaning: "A linha {line} de {file} não é seção, opção nem diretiva. O Asterisk pula com um aviso uma linha sem `=`, e recusa o arquivo inteiro por um \
              `[` que nunca fecha: um reload mantém então as opções antigas, e um reinício fica sem nenhuma.",
    see: "$ sed -n {line}p {file}\n\
          $ grep -E 'parse error|equal sign' /var/log/asterisk/messages*",
    remedy: "Conserte a linha, ou transforme-a em comentário:\n\
             $ sed -i '{line}s/^/;/' {file}",
};

pub(super) const HTTP_DISABLED: Text = Text {
    title: "o servidor HTTP do Asterisk não está habilitado",
    meaning: "O http.conf não diz `enabled = yes`. A porta sem TLS fica fechada e `http show status` diz `Server Disabled`; com `tlsenable = yes` o \
              Asterisk 16 e o 22 abrem a porta TLS mesmo assim, mas então o console a esconde.",
    see: "$ asterisk -rx 'http show status'\n\
          $ ss -ltn 'sport = :8089'\n\
          $ grep -n enabled /etc/asterisk/http.conf",
    remedy: "Em {file}:\n\
             | [general]\n\
             | enabled = yes\n\
             | bindaddr = 127.0.0.1\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_DISABLED: Text = Text {
    title: "o HTTPS do Asterisk não está habilitado",
    meaning: "O http.conf não diz `tlsenable = yes`: ninguém escuta na 8089 e wss:// recebe 1006 na hora. O transporte no pjsip.conf não abre essa \
              porta, diga o `bind` dele o que disser. Onde um proxy termina o TLS antes do Asterisk e repassa à 8088, isto está certo: então \
              informe o proxy em `wss.address`, ou pergunte no endereço que os navegadores usam.",
    see: "$ asterisk -rx 'http show status' | grep HTTPS\n\
          $ ss -ltn 'sport = :8089'\n\
          $ starkeeper doctor wss://NOME/ws",
    remedy: "Em {file}:\n\
             | [general]\n\
             | enabled = yes\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_BIND_MISSING: Text = Text {
    title: "o http.conf não diz onde o HTTPS escuta",
    meaning: "Não há `tlsbindaddr`. O Asterisk usa então o endereço de `bindaddr` com a porta 8089, e onde esse também falta não abre porta TLS alguma: \
              1006.",
    see: "$ grep -nE '^ *(tls)?bindaddr' /etc/asterisk/http.conf\n\
          $ ss -ltnp 'sport = :8089'",
    remedy: "Em {file}, em [general]:\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_BIND_LOOPBACK: Text = Text {
    title: "o HTTPS escuta só no loopback",
    meaning: "`tlsbindaddr` é {found}: só esta máquina (ou pod) o alcança. Correto atrás de um proxy que roda aqui; navegadores de fora têm a conexão \
              recusada, 1006.",
    see: "$ ss -ltnp 'sport = :8089'",
    remedy: "Se os navegadores conectam diretamente, em {file}:\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_PATHS_MISSING: Text = Text {
    title: "o http.conf não indica certificado",
    meaning: "`tlscertfile` não está definido; o Asterisk procura então `asterisk.pem`, não o encontra e falha em todo handshake TLS (1006). Opções no \
              pjsip.conf não o substituem: o WSS tira o certificado só do http.conf.",
    see: "$ grep -nE '^ *tls(certfile|privatekey)' /etc/asterisk/http.conf\n\
          $ grep 'error loading cert' /var/log/asterisk/messages*",
    remedy: "Em {file}, em [general]:\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const PORT_HELD_BY_OTHER: Text = Text {
    title: "outro programa escuta na porta do Asterisk",
    meaning: "{found} escuta em {address}. O Asterisk não conseguiu a porta {port}, disse isso uma vez no log e segue sem ela: os navegadores encontram o \
              outro programa e veem 1006.",
    see: "$ ss -ltnp 'sport = :{port}'\n\
          $ asterisk -rx 'http show status' | grep HTTPS",
    remedy: "Pare o outro programa (e não o deixe iniciar de novo), ou dê outra porta ao Asterisk no http.conf e também aos clientes; depois deixe o Asterisk tentar de novo:\n\
             $ kill {pid}\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'",
};

pub(super) const HTTP_PREFIX_SET: Text = Text {
    title: "o http.conf define um prefixo",
    meaning: "`prefix` é {found}, portanto o WebSocket fica nesse prefixo seguido de /ws, e /ws sozinho recebe 404. Nada está errado enquanto os \
              clientes usarem o caminho mais longo.",
    see: "$ asterisk -rx 'http show status' | grep -E 'Prefix|/ws'",
    remedy: "Faça os clientes usarem o caminho inteiro, ou tire a linha `prefix` de {file}:\n\
             | wss://NOME:8089/PREFIXO/ws\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const WSS_TRANSPORT_MISSING: Text = Text {
    title: "o pjsip.conf não tem um transporte wss",
    meaning: "Nenhuma seção do pjsip.conf é um transporte com `protocol = wss`. O upgrade ainda dá certo (101 não precisa dele), mas um endpoint que diga \
              `transport = …` não tem a que se referir, e a parte do PJSIP não está como a documentação dele pede.",
    see: "$ asterisk -rx 'pjsip show transports'",
    remedy: "No pjsip.conf. A porta vem do http.conf, e o certificado também:\n\
             | [transport-wss]\n\
             | type = transport\n\
             | protocol = wss\n\
             | bind = 0.0.0.0\n\
             $ asterisk -rx 'module reload res_pjsip.so'; asterisk -rx 'pjsip show transports'",
};

pub(super) const WSS_TRANSPORT_CERT_IGNORED: Text = Text {
    title: "opções de certificado num transporte wss são ignoradas",
    meaning: "[{section}] em {file} define um certificado ou uma chave, e o Asterisk ignora isso com um aviso: o WSS tira o certificado só do http.conf. \
              Quem renovar apenas este espera para sempre por uma mudança na 8089.",
    see: "$ grep -nE '^ *(cert_file|priv_key_file)' {file}\n\
          $ grep -nE '^ *tls(certfile|privatekey)' /etc/asterisk/http.conf",
    remedy: "Tire as linhas dali e indique os arquivos no http.conf:\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const ENDPOINT_NOT_WEBRTC: Text = Text {
    title: "o endpoint não está preparado para WebRTC",
    meaning: "[{section}] não tem `webrtc = yes`. O navegador registra, e as chamadas dele falham: ele exige DTLS-SRTP, ICE e rtcp-mux, \
              que essa opção liga.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}' | grep -E 'webrtc|dtls|ice|avpf|mux'",
    remedy: "Em {file}, no endpoint (o res_srtp também precisa estar carregado):\n\
             | {prefix}webrtc = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'; asterisk -rx 'module show like res_srtp'",
};

pub(super) const ENDPOINT_TRANSPORT_UNKNOWN: Text = Text {
    title: "o endpoint indica um transporte que não existe",
    meaning: "[{section}] diz `transport = {found}`, e não existe transporte com esse nome. Requisições ao endpoint não podem ser enviadas; o navegador \
              pode registrar e nunca tocar.",
    see: "$ asterisk -rx 'pjsip show transports'\n\
          $ asterisk -rx 'pjsip show endpoint {section}'",
    remedy: "Em {file}, indique um que exista, ou deixe a opção de fora: a própria conexão do WebSocket é usada.\n\
             | transport = transport-wss\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const ENDPOINT_AUTH_MISSING: Text = Text {
    title: "a seção auth do endpoint não existe",
    meaning: "[{section}] se refere a uma seção auth que não está lá ({found}): nenhuma senha pode estar certa, e o JsSIP informa \
              `registrationFailed`.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}'\n\
          $ asterisk -rx 'pjsip show auths'",
    remedy: "Em {file}, ao lado do endpoint, com `auth = {section}` no endpoint:\n\
             | [{section}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {section}\n\
             | password = UM-SEGREDO-LONGO-E-ALEATORIO\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const ENDPOINT_AOR_MISSING: Text = Text {
    title: "a seção aor do endpoint não existe",
    meaning: "[{section}] se refere a um aor que não está lá ({found}): o cliente não tem onde se registrar, recebe um erro (404 ou 403) e nunca é \
              chamado.",
    see: "$ asterisk -rx 'pjsip show endpoint {section}'\n\
          $ asterisk -rx 'pjsip show aors'",
    remedy: "Em {file}, com o mesmo nome do usuário que se registra, e com `aors = {section}` no endpoint:\n\
             | [{section}]\n\
             | type = aor\n\
             | max_contacts = 1\n\
             | remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const AOR_NO_CONTACTS: Text = Text {
    title: "o aor não permite nenhum registro",
    meaning: "[{section}] não tem `max_contacts` (o padrão é 0): todo REGISTER recebe 403. O WebSocket está bem; o JsSIP informa \
              `registrationFailed: Rejected`.",
    see: "$ asterisk -rx 'pjsip show aor {section}'",
    remedy: "Em {file}, no aor:\n\
             | {prefix}max_contacts = 1\n\
             | {prefix}remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const CODEC_MODULE_MISSING: Text = Text {
    title: "é permitido um codec que o Asterisk não traduz",
    meaning: "O endpoint permite {found}, e nenhum módulo que o traduza está carregado. Dois navegadores ainda conversam entre si; uma chamada para um \
              telefone, a música de uma fila ou uma gravação fica muda ou falha.",
    see: "$ asterisk -rx 'core show translation paths opus'\n\
          $ asterisk -rx 'module show like codec_'",
    remedy: "Instale e carregue o módulo, ou permita um codec que todo navegador tem (ulaw, alaw):\n\
             $ asterisk -rx 'module load codec_opus.so'\n\
             | allow = opus,ulaw",
};

pub(super) const RTP_ICE_DISABLED: Text = Text {
    title: "o ICE está desligado em todas as chamadas",
    meaning: "O rtp.conf diz `icesupport = {found}`, e nenhum `ice_support` ou `webrtc` de endpoint liga o ICE de novo. Os navegadores registram, e as \
              chamadas se completam e ficam mudas: sem ICE eles não enviam voz.",
    see: "$ asterisk -rx 'rtp show settings' | grep ICE",
    remedy: "Em {file}, em [general]:\n\
             | icesupport = yes\n\
             $ asterisk -rx 'module reload res_rtp_asterisk.so'; asterisk -rx 'rtp show settings'",
};

pub(super) const MODULE_NOT_RUNNING: Text = Text {
    title: "um módulo necessário não está rodando",
    meaning: "{module} não está carregado, ou está carregado e Not Running. O WSS precisa de res_http_websocket, res_pjsip, \
              res_pjsip_transport_websocket e, para a voz, res_srtp e res_rtp_asterisk.",
    see: "$ asterisk -rx 'module show like {module}'\n\
          $ grep -F {module} /var/log/asterisk/messages*",
    remedy: "Carregue-o e leia o que ele diz; pode faltar um módulo de que ele depende.\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const MODULE_NOLOAD: Text = Text {
    title: "o modules.conf barra um módulo necessário",
    meaning: "{file} não deixa o Asterisk carregar {module} ({found}), que por isso falta depois de cada início, e com ele as conexões dos \
              navegadores ou a voz.",
    see: "$ grep -nE '^ *(noload|load|autoload)' {file}",
    remedy: "Em {file}, ponha esta linha no lugar do `noload` dele, ou ao lado das outras se há `autoload = no`; e carregue o módulo agora:\n\
             | load = {module}\n\
             $ asterisk -rx 'module load {module}'",
};

pub(super) const CHAN_SIP_CONFLICT: Text = Text {
    title: "o chan_sip está carregado ao lado do PJSIP",
    meaning: "Onde os dois estão carregados, o chan_sip toma o subprotocolo `sip` do WebSocket, e o transporte do PJSIP não roda: o /ws responde 101, o \
              JsSIP conecta, e o registro é rejeitado.",
    see: SIP_OWNED_BY_CHAN_SIP.see,
    remedy: SIP_OWNED_BY_CHAN_SIP.remedy,
};

pub(super) const CANNOT_HEAL: Text = Text {
    title: "um reload aqui não cura uma porta travada",
    meaning: "Depois que o Asterisk tenta um par ruim (basta um reinício durante uma rotação), arquivos bons e um reload não trazem o WSS de volta, pois o \
              Asterisk só relê o http.conf quando ele muda no disco. Até lá nada está quebrado.",
    see: "$ grep -n include {file}",
    remedy: "Acrescente uma linha ao http.conf, em [general]; o arquivo que ela indica não deve existir. Todo reload passa então a reler o http.conf. A mesma \
             linha no manager.conf faz isso para o AMI com TLS.\n\
             | #tryinclude starkeeper.absent\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const CONFIG_DIFFERS: Text = Text {
    title: "o Asterisk por trás do AMI tem outro http.conf",
    meaning: "{file} diz `{expected}`; no http.conf do Asterisk que responde em {address} está `{found}`. Ou o agente lê uma cópia velha ou alheia \
              (um `subPath` nunca é atualizado), ou respondeu outro Asterisk, como acontece com `hostNetwork`. O que é vigiado, recarregado e \
              provado pode então não ser o que os navegadores usam.",
    see: "$ grep -nE '^ *(tls|ssl|prefix)' {file}\n\
          $ asterisk -rx 'core show settings' | grep -i 'configuration directory'\n\
          $ ss -ltnp | grep -E ':(5038|8089) '",
    remedy: "Monte uma mesma pasta, inteira, nos dois contêineres:\n\
             | volumeMounts:\n\
             |   - {name: config, mountPath: /etc/asterisk}\n\
             Com `hostNetwork` dê a cada Asterisk de um nó portas só dele, em manager.conf e http.conf:\n\
             | port = 5138\n\
             | tlsbindaddr = 0.0.0.0:8189",
};

pub(super) const SESSION_LIMIT_LOW: Text = Text {
    title: "são permitidas poucas sessões HTTP",
    meaning: "`sessionlimit` é {found}, e cada navegador conectado ocupa uma sessão. O cliente depois do último passa pelo TLS e é desligado (1006).",
    see: "$ grep -n sessionlimit /etc/asterisk/http.conf\n\
          $ ss -Htn state established '( sport = :8089 )' | wc -l",
    remedy: "Em {file}, em [general], acima do número de clientes:\n\
             | sessionlimit = 1000\n\
             $ asterisk -rx 'module reload http'",
};
