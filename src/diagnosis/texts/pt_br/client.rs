//! Brazilian Portuguese: the browser's side, and what lies between.

use crate::diagnosis::texts::Text;

pub(super) const CLIENT_URL_INVALID: Text = Text {
    title: "o endereço do cliente não é um que o JsSIP aceite",
    meaning: "O cliente conecta em {found}: {reason}. O JsSIP só aceita ws:// e wss:// e lança `TypeError: Invalid argument: url`; nada é enviado.",
    see: "O console do navegador mostra o erro. Isto deve responder 426:\n\
          $ curl -ksi -m 3 --http1.1 https://pbx.example.com:8089/ws | head -n 1",
    remedy: "No cliente (JsSIP; no SIP.js é `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_NO_PATH: Text = Text {
    title: "falta o caminho /ws no endereço do cliente",
    meaning: "O cliente conecta a {found}, ou seja, a `/`, onde o Asterisk responde 404: o navegador vê 1006. O WebSocket só existe em /ws.",
    see: "404 na raiz, 426 no caminho certo:\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ | head -n 1\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1",
    remedy: "No cliente (JsSIP; no SIP.js é `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_WRONG_PATH: Text = Text {
    title: "o endereço do cliente tem outro caminho que não /ws",
    meaning: "O cliente conecta a {found}, e o WebSocket está em {expected}. Qualquer outro caminho recebe 404, e o navegador vê 1006.",
    see: "$ asterisk -rx 'http show status' | grep -E 'Prefix|/ws'\n\
          $ curl -ksi -m 3 --http1.1 https://{address}/ws | head -n 1",
    remedy: "No cliente (JsSIP; no SIP.js é `transportOptions.server`); com `prefix` no http.conf, ponha-o antes de /ws:\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_URL_NO_PORT: Text = Text {
    title: "falta a porta no endereço do cliente",
    meaning: "Sem porta, wss:// significa 443, e o Asterisk escuta em {expected}. O navegador chega a um servidor web ou a nada: 1006.",
    see: "$ asterisk -rx 'http show status' | grep HTTPS\n\
          $ ss -ltnp | grep -E ':443 |:8089 '",
    remedy: "No cliente (JsSIP; no SIP.js é `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_INSECURE_ON_HTTPS: Text = Text {
    title: "uma página em https:// não pode usar ws://",
    meaning: "O cliente conecta a {found} a partir de uma página que veio por HTTPS. Os navegadores bloqueiam isso como conteúdo misto antes que um \
              pacote saia; nada aparece no log do Asterisk.",
    see: "O console do navegador diz `Mixed Content`. Isto deve responder 426:\n\
          $ curl -si -m 3 --http1.1 https://pbx.example.com:8089/ws | head -n 1",
    remedy: "No cliente (JsSIP; no SIP.js é `transportOptions.server`):\n\
             | new JsSIP.WebSocketInterface('{url}')",
};

pub(super) const CLIENT_NAME_NOT_COVERED: Text = Text {
    title: "o certificado não cobre o host do cliente",
    meaning: "O cliente conecta a {name}, um endereço a que o certificado não se destina: o navegador fecha antes do upgrade (1006), também onde o servidor é \
              acessado pelo endereço IP ou por um nome interno.",
    see: "$ openssl s_client -connect {address} -verify_hostname {name} </dev/null 2>/dev/null | grep Verif\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
    remedy: "Use no cliente (JsSIP; no SIP.js é `transportOptions.server`) um nome coberto:\n\
             | new JsSIP.WebSocketInterface('{url}')\n\
             Ou mande emitir um certificado para este:\n\
             $ certbot certonly --cert-name CERT -d OUTRONOME -d {name}",
};

pub(super) const ENV_UNPARSABLE_LINE: Text = Text {
    title: "uma linha do arquivo env não diz nada",
    meaning: "{file}, linha {line}: {reason}. O front-end é construído sem o que a linha devia dizer, e passa por ela em silêncio.",
    see: "$ grep -nvE '^(#|$|(export )?[A-Za-z_][A-Za-z0-9_.-]*=)' {file}",
    remedy: "Escreva NOME=valor, com aspas em volta de valores com espaços ou #; depois construa o front-end de novo, pois as variáveis NEXT_PUBLIC_ ficam \
             fixadas nele:\n\
             | NEXT_PUBLIC_ASTERISK_HOST=pbx.example.com:8089",
};

pub(super) const COMPOSE_PORT_UNPUBLISHED: Text = Text {
    title: "o Compose não publica a porta WSS",
    meaning: "O serviço em {file} não publica a porta {port}: o Asterisk escuta dentro do contêiner, e navegadores de fora têm a conexão recusada, 1006.",
    see: "$ docker compose ps\n\
          $ ss -ltn 'sport = :8089'",
    remedy: "Em {file}, no serviço do Asterisk:\n\
             | ports:\n\
             |   - \"{ports}\"\n\
             $ docker compose up -d",
};

pub(super) const COMPOSE_VOLUME_MISSING: Text = Text {
    title: "o Compose não monta a pasta do certificado",
    meaning: "O http.conf indica arquivos em {path}, e {file} não monta nada ali: dentro do contêiner eles não existem, e a porta TLS falha (1006).",
    see: "$ docker compose config | grep -A6 volumes\n\
          $ docker compose exec asterisk grep -E '^tls' /etc/asterisk/http.conf",
    remedy: "Em {file}, no serviço do Asterisk. Monte o diretório, não arquivos avulsos, que continuariam os antigos depois de uma troca por renomeação:\n\
             | volumes:\n\
             |   - ./tls:{folder}:ro\n\
             $ docker compose up -d",
};
