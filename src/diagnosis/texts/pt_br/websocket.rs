//! Brazilian Portuguese: what happens after TLS, the upgrade and SIP over it.

use crate::diagnosis::texts::Text;

pub(super) const WS_NOT_FOUND: Text = Text {
    title: "não há WebSocket neste caminho",
    meaning: "O TLS funciona em {address} e o caminho recebe 404: o Asterisk só serve SIP em /ws (abaixo de `prefix`, onde o http.conf o define), e só \
              enquanto o res_http_websocket está carregado. Os navegadores veem 1006.",
    see: "Um /ws aberto responde 426 a um GET simples:\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1\n\
          $ asterisk -rx 'http show status'\n\
          $ asterisk -rx 'module show like res_http_websocket'",
    remedy: "Se `http show status` não lista /ws, carregue o módulo (e mantenha-o no modules.conf); senão, use o caminho que ele lista.\n\
             $ asterisk -rx 'module load res_http_websocket.so'\n\
             | wss: {path: /ws}",
};

pub(super) const WS_NOT_UPGRADED: Text = Text {
    title: "o servidor responde e não faz o upgrade",
    meaning: "O TLS funciona em {address}, e a resposta ao upgrade é {found} em vez de 101. Quem responde não é o /ws do Asterisk, ou um proxy perde \
              o cabeçalho `Upgrade` no caminho. Os navegadores veem 1006.",
    see: concat!(
        "Uma porta aberta diz 101 (o Asterisk registra duas linhas ERROR quando o curl desliga):\n",
        upgrade_by_hand!(),
        "\n$ asterisk -rx 'http show status'"
    ),
    remedy: "Faça os clientes chegarem ao próprio Asterisk, ou faça o proxy repassar o upgrade:\n\
             @ through",
};

pub(super) const WS_SUBPROTOCOL_REFUSED: Text = Text {
    title: "o WebSocket não fala SIP",
    meaning: "O upgrade em {address} chegou a um servidor WebSocket que não aceita o subprotocolo `sip`: ninguém no Asterisk o registrou. O JsSIP não \
              consegue conectar (1006).",
    see: concat!("$ asterisk -rx 'module show like websocket'\n", upgrade_by_hand!()),
    remedy: "Carregue o transporte WebSocket do PJSIP e mantenha-o no modules.conf:\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'\n\
             | load = res_pjsip_transport_websocket.so",
};

pub(super) const WS_FORBIDDEN: Text = Text {
    title: "o WebSocket é proibido",
    meaning: "{address} responde ao upgrade com {found}. O /ws do Asterisk não pede login nem olha a Origin (e CORS não vale para WebSockets), então alguém na frente dele o faz: um \
              proxy, um firewall de aplicação, uma regra de acesso. Os navegadores veem 1006.",
    see: concat!("O cabeçalho `Server` diz quem responde:\n", upgrade_by_hand!()),
    remedy: "Tire ali a regra para /ws, ou envie com o teste a Origin que ela quer:\n\
             | wss: {origin: https://app.example.com}",
};

pub(super) const WS_PROXY_IN_THE_WAY: Text = Text {
    title: "um proxy não deixa o WebSocket passar",
    meaning: "Em {address} há um proxy na frente do Asterisk, e ele não deixa o WebSocket passar ({found}). Os navegadores veem 1006 mesmo com o \
              Asterisk bem; e o certificado ali é o do proxy, não o destes arquivos.",
    see: "$ curl -ksI -m 3 --http1.1 https://{address}/ws\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer",
    remedy: "Faça o proxy repassar o upgrade:\n\
             @ through\n\
             E faça o agente testar o próprio Asterisk:\n\
             | wss: {address: 127.0.0.1:8089}",
};

pub(super) const WS_REDIRECTED: Text = Text {
    title: "o WebSocket é redirecionado, o que nenhum navegador segue",
    meaning: "{address} responde ao upgrade com {found}. Os navegadores não seguem redirecionamento num handshake de WebSocket: eles veem 1006. Quem \
              redireciona é um proxy ou um servidor web na frente do Asterisk.",
    see: concat!("O cabeçalho `Location` diz para onde:\n", upgrade_by_hand!()),
    remedy: "Faça o cliente conectar lá diretamente (com wss:// e /ws), ou faça o proxy repassar /ws antes de redirecionar (no Apache \
             `RewriteCond %{REQUEST_URI} !^/ws` o poupa de uma RewriteRule):\n\
             @ through",
};

pub(super) const WS_CLOSED_EARLY: Text = Text {
    title: "o WebSocket fecha logo depois de abrir",
    meaning: "{address} aceitou e em seguida desligou: {found}. No navegador isso é `connected` seguido de 1006. O Asterisk estava reiniciando, não podia \
              aceitar mais uma sessão, ou um proxy corta a conexão.",
    see: concat!("$ asterisk -rx 'core show uptime'\n$ tail -n 50 /var/log/asterisk/messages*\n", upgrade_by_hand!()),
    remedy: "Se continuar com o Asterisk de pé, acompanhe uma conexão no console dele:\n\
             $ asterisk -rx 'core set debug 3 res_http_websocket.so'\n\
             $ asterisk -rx 'pjsip set logger on'\n\
             Atrás de um proxy, aumente o tempo ocioso dele:\n\
             @ quiet",
};

pub(super) const WS_SESSION_LIMIT: Text = Text {
    title: "o Asterisk não tem mais sessões HTTP",
    meaning: "O TLS dá certo em {address} e a conexão termina antes de qualquer resposta: o `sessionlimit` (100 se não for definido) se esgotou. Cada \
              cliente WSS aberto ocupa uma sessão; quem vier depois vê 1006.",
    see: "$ ss -Htn state established '( sport = :8089 )' | wc -l\n\
          $ grep -n sessionlimit /etc/asterisk/http.conf",
    remedy: "Aumente-o no http.conf, em [general], acima do número de clientes:\n\
             | sessionlimit = 1000\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const WS_PING_UNANSWERED: Text = Text {
    title: "o WebSocket está aberto, e ninguém responde",
    meaning: "{address} aceitou o upgrade e não respondeu a um Ping a tempo: o Asterisk está travado, ou algo no caminho mantém abertas conexões \
              mortas. Os clientes registrados parecem bem e não recebem chamadas.",
    see: "$ ss -tnpo state established '( sport = :8089 )'\n\
          $ asterisk -rx 'core show uptime'; asterisk -rx 'core show taskprocessors'",
    remedy: "Se o console também travar, reinicie o Asterisk (isso derruba as chamadas):\n\
             $ systemctl restart asterisk\n\
             $ kubectl delete pod POD",
};

pub(super) const SIP_NO_ANSWER: Text = Text {
    title: "o WebSocket abre, e o SIP fica calado",
    meaning: "O /ws em {address} aceita `sip`, e uma requisição SIP fica sem resposta: 101 não prova que o PJSIP está por trás. O JsSIP conecta e \
              depois o registro expira.",
    see: "$ asterisk -rx 'module show like res_pjsip'\n\
          $ asterisk -rx 'pjsip set logger on'",
    remedy: "Carregue o que estiver Not Running, primeiro o transporte:\n\
             $ asterisk -rx 'module load res_pjsip.so'\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'",
};

pub(super) const SIP_OWNED_BY_CHAN_SIP: Text = Text {
    title: "o chan_sip, e não o PJSIP, responde no WebSocket",
    meaning: "No Asterisk 16 a 20 o antigo chan_sip, onde está carregado, toma o subprotocolo `sip`; o transporte do PJSIP fica então Not Running. O /ws \
              ainda responde 101, o JsSIP diz `connected` e depois `Rejected`.",
    see: "$ asterisk -rx 'module show like chan_sip'\n\
          $ asterisk -rx 'module show like res_pjsip_transport_websocket'",
    remedy: "Sem reiniciar (as chamadas pelo chan_sip terminam):\n\
             $ asterisk -rx 'module unload chan_sip.so'\n\
             $ asterisk -rx 'module load res_pjsip_transport_websocket.so'\n\
             De vez, no modules.conf:\n\
             | noload = chan_sip.so\n\
             Ou fique com o chan_sip para outros telefones, sem WebSocket: no sip.conf, em [general], e os dois módulos descarregados e carregados de novo.\n\
             | websocket_enabled = no",
};

pub(super) const SIP_AUTH_REJECTED: Text = Text {
    title: "o SIP recusa a senha do usuário",
    meaning: "O WebSocket está bem; o Asterisk rejeita as credenciais de {user}. O JsSIP informa `registrationFailed: Authentication Error`; o \
              socket continua aberto, portanto isto nunca é a causa de um 1006.",
    see: "$ asterisk -rx 'pjsip show endpoint {user}'\n\
          $ asterisk -rx 'pjsip show auths'",
    remedy: "Deixe usuário, senha e realm iguais no pjsip.conf e no cliente:\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {user}\n\
             | password = A-SENHA\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_ENDPOINT_UNKNOWN: Text = Text {
    title: "o Asterisk não conhece um endpoint com este nome",
    meaning: "O WebSocket está bem; o PJSIP não tem o endpoint {user}. O cliente recebe 401 para sempre, e o Asterisk registra `No matching endpoint \
              found`, a que o fail2ban reage.",
    see: "$ asterisk -rx 'pjsip show endpoints'",
    remedy: "Acrescente-o ao pjsip.conf, com seu auth e seu aor:\n\
             | [{user}]\n\
             | type = endpoint\n\
             | context = default\n\
             | disallow = all\n\
             | allow = opus,ulaw\n\
             | webrtc = yes\n\
             | auth = {user}\n\
             | aors = {user}\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = userpass\n\
             | username = {user}\n\
             | password = A-SENHA\n\
             | [{user}]\n\
             | type = aor\n\
             | max_contacts = 1\n\
             | remove_existing = yes\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_DIGEST_UNSUPPORTED: Text = Text {
    title: "o SIP pede um digest que o JsSIP e o SIP.js não conhecem",
    meaning: "O WebSocket está bem; o Asterisk desafia {user} com {found}, e o JsSIP só responde ao último desafio e só com MD5. Ele desiste com \
              `registrationFailed: Authentication Error`, por mais certa que a senha esteja, e o SIP.js com 401. Isto não é 1006.",
    see: "O console do navegador diz `challenge with Digest algorithm different than \"MD5\"`.\n\
          $ asterisk -rx 'pjsip show auth {user}'\n\
          $ grep -nE 'supported_algorithms_uas|password_digest' /etc/asterisk/pjsip.conf",
    remedy: "Deixe o MD5 sozinho ou por último (e dê o segredo dele, onde só há outro digest), no pjsip.conf:\n\
             | [{user}]\n\
             | type = auth\n\
             | auth_type = digest\n\
             | username = {user}\n\
             | password = A-SENHA\n\
             | supported_algorithms_uas = MD5\n\
             $ asterisk -rx 'module reload res_pjsip.so'",
};

pub(super) const SIP_REFUSED: Text = Text {
    title: "o SIP responde e se recusa a registrar",
    meaning: "O WebSocket está bem e há SIP por trás dele; o REGISTER de {user} recebe {found}. O JsSIP avisa `registrationFailed`; o socket continua \
              aberto, portanto isto nunca é a causa de um 1006.",
    see: "$ asterisk -rx 'pjsip show endpoint {user}'\n\
          $ asterisk -rx 'pjsip set logger on'",
    remedy: "Acompanhe um registro no console do Asterisk; o log dele diz o motivo. Módulos que precisam rodar:\n\
             $ asterisk -rx 'module load res_pjsip_registrar.so'\n\
             $ asterisk -rx 'module load res_pjsip_authenticator_digest.so'",
};
