//! Brazilian Portuguese: names, TCP and TLS, as a browser meets them.

use crate::diagnosis::texts::Text;

pub(super) const DNS_FAILED: Text = Text {
    title: "o nome não resolve",
    meaning: "Nenhum endereço foi encontrado para {address}: {found}. Navegadores que perguntam ao mesmo resolvedor não conectam (1006, ou \
              ERR_NAME_NOT_RESOLVED no console).",
    see: "$ getent ahosts {name}\n\
          $ cat /etc/resolv.conf",
    remedy: "Conserte o registro DNS, ou teste pelo endereço IP e mantenha o nome só para o TLS:\n\
             | wss: {address: 127.0.0.1:8089, serverName: pbx.example.com}",
};

pub(super) const TCP_REFUSED: Text = Text {
    title: "ninguém escuta na porta WSS",
    meaning: "A conexão com {address} foi recusada: os navegadores veem 1006 na hora. O Asterisk está parado, foi iniciado com um par ruim (não abre \
              então porta TLS alguma), tem o TLS desligado ou em outra porta, ou este é outro namespace de rede.",
    see: "$ ss -ltnp 'sport = :8089'\n\
          $ asterisk -rx 'http show status'",
    remedy: "Faça o http.conf abrir a porta; se ele já diz tudo isto, toque nele, senão o Asterisk não o relê. Depois recarregue:\n\
             | [general]\n\
             | enabled = yes\n\
             | tlsenable = yes\n\
             | tlsbindaddr = 0.0.0.0:8089\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             $ ss -ltn 'sport = :8089'",
};

pub(super) const TCP_TIMEOUT: Text = Text {
    title: "a porta WSS não responde",
    meaning: "Nada voltou de {address} a tempo: um firewall ou grupo de segurança descarta os pacotes, a rota está errada ou o Asterisk está \
              parado. Os navegadores ficam esperando e depois veem 1006.",
    see: "$ timeout 5 openssl s_client -connect {address} </dev/null\n\
          $ ps -o pid,stat,args -C asterisk; ss -ltn 'sport = :8089'",
    remedy: "Se ela responde na própria máquina do Asterisk, libere a porta no caminho:\n\
             $ iptables -S | grep -E '8089|DROP|REJECT'\n\
             $ ufw allow 8089/tcp\n\
             No Kubernetes, veja as NetworkPolicies e o Service; na nuvem, o grupo de segurança.\n\
             $ kubectl get networkpolicy,service,endpoints -A",
};

pub(super) const TCP_SOME_ADDRESSES: Text = Text {
    title: "alguns endereços do nome não aceitam conexão",
    meaning: "O DNS dá vários endereços a {name}, e nem todos respondem: {found}. Os navegadores tentam o próximo após um instante; clientes que só têm \
              esse tipo de endereço (só IPv6, só IPv4) veem 1006.",
    see: "$ getent ahosts {name}\n\
          $ ss -ltn 'sport = :8089'",
    remedy: "Retire do DNS o registro morto, ou faça o Asterisk escutar em todos os endereços, também IPv6:\n\
             | [general]\n\
             | tlsbindaddr = [::]:8089\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_FAILED: Text = Text {
    title: "a porta aceita TCP, e o TLS falha",
    meaning: "{address} aceita conexões e delas não sai uma sessão TLS: {found}. É assim que o Asterisk fica depois de tentar carregar um par ruim: o \
              certificado antigo não é mantido, e todo navegador vê 1006. Também pode ser uma porta sem TLS (8088).",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ grep -E 'TLS/SSL|tcptls' /var/log/asterisk/messages* | tail\n\
          $ starkeeper check --cert /caminho/para/fullchain.pem --key /caminho/para/privkey.pem",
    remedy: "Conserte primeiro os arquivos. Só isso não basta: o Asterisk precisa reler o http.conf; então toque nele e recarregue.\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'",
};

pub(super) const TLS_CLEARTEXT: Text = Text {
    title: "a porta TLS responde em texto claro",
    meaning: "{address} fala HTTP puro onde deveria haver TLS. As versões mais novas do Asterisk fazem isso depois de tentar carregar um par ruim; ou é a \
              porta sem TLS (8088). Os navegadores veem 1006 em wss://, e quem fala ws:// ali não está protegido.",
    see: "Qualquer resposta HTTP aqui está errada:\n\
          $ curl -sS -m 3 -i http://{address}/ws\n\
          $ asterisk -rx 'http show status'",
    remedy: "Conserte os arquivos, depois faça o http.conf ser relido e olhe a porta:\n\
             $ starkeeper check --cert /caminho/para/fullchain.pem --key /caminho/para/privkey.pem\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             $ openssl s_client -connect {address} </dev/null | head -n 3\n\
             Ou, onde os clientes ou as configurações indicam a porta sem TLS, indique a outra:\n\
             | wss: {address: 127.0.0.1:8089}",
};

pub(super) const TLS_SERVES_OTHER: Text = Text {
    title: "a porta serve outro certificado que não o dos arquivos",
    meaning: "Em {address} os navegadores recebem {found}, não {expected}. Ou o reload não aconteceu, ou o http.conf indica outros arquivos, ou quem \
              responde nesse endereço é outro (um proxy, um balanceador, outro pod).",
    see: "As duas precisam ser iguais:\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256\n\
          $ openssl x509 -in tls.crt -noout -fingerprint -sha256\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "Se os caminhos são os mesmos, recarregue à mão e compare de novo (\"reloaded successfully\" não prova nada).\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_UNTRUSTED: Text = Text {
    title: "os navegadores não confiam no certificado servido",
    meaning: "O TLS funciona em {address}, mas a cadeia leva a {issuer}, que os navegadores não conhecem: eles fecham antes do upgrade (1006), salvo \
              onde usuários ou políticas tenham acrescentado essa autoridade.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | grep -E 'issuer=|Verif'",
    remedy: "Sirva um certificado de uma autoridade pública, ou instale a raiz privada em cada cliente e a indique aqui:\n\
             | certificate:\n\
             |   trust: /etc/ssl/private-root.pem",
};

pub(super) const TLS_NAME_MISMATCH: Text = Text {
    title: "o certificado servido é de outros nomes",
    meaning: "Em {address} os clientes pedem {name}, e o certificado não cobre esse nome: navegadores que o usam fecham antes do upgrade \
              (1006, NET::ERR_CERT_COMMON_NAME_INVALID).",
    see: "$ openssl s_client -connect {address} -verify_hostname {name} </dev/null 2>/dev/null | grep Verif\n\
          $ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName",
    remedy: "Mande emitir um certificado que cubra o nome, ou faça os clientes usarem um nome coberto.\n\
             $ certbot certonly --cert-name CERT -d OUTRONOME -d {name}",
};

pub(super) const TLS_CHAIN_INCOMPLETE: Text = Text {
    title: "o servidor não envia um certificado intermediário",
    meaning: "O que {address} envia termina em um certificado emitido por {issuer}, que falta. Alguns navegadores de desktop se viram, outros e os \
              celulares veem 1006: \"na minha máquina funciona\".",
    see: "$ openssl s_client -connect {address} -showcerts </dev/null 2>/dev/null | grep -E ' s:| i:|Verif'",
    remedy: "Ponha a cadeia completa no arquivo que `tlscertfile` indica (`tlscafile` não ajuda); o agente então recarrega.\n\
             $ cat leaf.pem intermediate.pem > /caminho/para/fullchain.pem",
};

pub(super) const TLS_EXPIRED: Text = Text {
    title: "o certificado servido está vencido",
    meaning: "O que {address} serve terminou em {notAfter}: todo navegador o recusa (1006). Se os arquivos são mais novos, o Asterisk nunca foi avisado; \
              se não são, a renovação não rodou.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -dates\n\
          $ openssl x509 -in tls.crt -noout -dates; date -u",
    remedy: "Renove, ou recarregue se os arquivos já são novos.\n\
             $ certbot renew --cert-name NOME --force-renewal\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_OLD_ONLY: Text = Text {
    title: "o servidor não fala um TLS que os navegadores ainda falem",
    meaning: "{address} abre com {found} e recusa TLS 1.2 e 1.3. Os navegadores abandonaram 1.0 e 1.1 em 2020: eles encerram o handshake, 1006 \
              (ERR_SSL_VERSION_OR_CIPHER_MISMATCH).",
    see: "O segundo precisa funcionar:\n\
          $ openssl s_client -connect {address} -tls1_1 -cipher DEFAULT@SECLEVEL=0 </dev/null 2>&1 | grep -E 'Protocol|alert'\n\
          $ openssl s_client -connect {address} -tls1_2 </dev/null 2>&1 | grep -E 'Protocol|alert'",
    remedy: "Permita TLS 1.2 no http.conf, em [general], ou no proxy que está na frente do Asterisk; um OpenSSL muito antigo precisa ser atualizado.\n\
             | tlsdisablev12 = no\n\
             | tlsdisablev1 = yes\n\
             | tlsdisablev11 = yes\n\
             $ asterisk -rx 'module reload http'\n\
             nginx:\n\
             | ssl_protocols TLSv1.2 TLSv1.3;\n\
             $ nginx -t && nginx -s reload",
};

pub(super) const TLS_OLD_SUITES: Text = Text {
    title: "o servidor só fala TLS 1.2 com suítes antigas",
    meaning: "{address} fala TLS 1.2 com {found}, e nada mais novo. Dessas suítes o Chromium ainda aceita ECDHE-RSA em modo CBC, e a troca de chaves RSA \
              onde o key usage do certificado permite keyEncipherment ou nada diz; pode largá-las como largou o TLS 1.1 (1006 a partir desse dia). Onde \
              isto é um erro, ele já recusa o que se fala aqui: 1006. Este programa não aceita nenhuma delas, e por isso certificado, upgrade e SIP não \
              puderam ser olhados.",
    see: "$ openssl s_client -connect {address} -tls1_2 </dev/null 2>/dev/null | grep -E 'Cipher|Verif'",
    remedy: "Permita as suítes de hoje, no http.conf em [general] (ou deixe `tlscipher` de fora), ou no proxy que está na frente do Asterisk:\n\
             | tlscipher = ECDHE+AESGCM:ECDHE+CHACHA20\n\
             $ touch /etc/asterisk/http.conf && asterisk -rx 'module reload http'\n\
             nginx:\n\
             | ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\n\
             $ nginx -t && nginx -s reload",
};

pub(super) const TLS_VALIDITY_TOO_LONG: Text = Text {
    title: "o certificado vale por mais tempo do que os navegadores querem",
    meaning: "O que {address} serve vale por {found}. Os navegadores aceitam no máximo 398 dias de autoridades públicas, e os aparelhos da Apple 825 de \
              privadas: ali ele é recusado (1006); navegadores de mesa aceitam o de uma autoridade privada.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -dates",
    remedy: "Emita-o por uns 90 dias e deixe a renovação ser automática:\n\
             $ openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy -out leaf.pem",
};

pub(super) const LISTENER_WEDGED: Text = Text {
    title: "a porta TLS do Asterisk travou, com arquivos bons",
    meaning: "Certificado e chave estão bons, e mesmo assim o TLS em {address} falha: o Asterisk tentou um par ruim em algum momento. Todo reload \
              seguinte não faz nada, e diz que deu certo, até que o http.conf ou um arquivo que ele inclui mude no disco. Os navegadores veem 1006; as \
              chamadas em curso continuam.",
    see: "$ openssl s_client -connect {address} </dev/null\n\
          $ grep -n include /etc/asterisk/http.conf",
    remedy: "Acrescente uma linha ao http.conf, em [general]. Ela indica um arquivo que não deve existir e faz todo reload posterior reler o http.conf, de \
             modo que isto se cura sozinho (também em um ConfigMap somente leitura). Não é preciso reiniciar.\n\
             $ printf '\\n#tryinclude starkeeper.absent\\n' >> /etc/asterisk/http.conf\n\
             $ asterisk -rx 'module reload http'",
};

pub(super) const TLS_CLIENT_CERTIFICATE: Text = Text {
    title: "o servidor pede um certificado do cliente",
    meaning: "{address} pede um certificado de cliente, mesmo que opcional. O Chromium não deixa escolher um para um WebSocket e encerra o handshake: \
              1006, embora páginas do mesmo servidor possam abrir. O Asterisk nunca pede: é um proxy.",
    see: "$ openssl s_client -connect {address} </dev/null 2>/dev/null | grep -A3 'client certificate CA names'\n\
          $ nginx -T | grep -n ssl_verify_client",
    remedy: "Não peça no endereço do WebSocket. No nginx, em um `server` próprio:\n\
             | ssl_verify_client off;\n\
             $ nginx -t && nginx -s reload",
};
