//! Brazilian Portuguese: the certificate and its key, as files.

use crate::diagnosis::texts::Text;

pub(super) const CERT_MISSING: Text = Text {
    title: "o arquivo do certificado não existe",
    meaning: "Não há nada em {file}. O que o Asterisk serve agora continua no ar, mas no próximo reload ou reinício o TLS não subiria e \
              todo navegador veria 1006 (o WebSocket fechou antes de abrir).",
    see: "$ ls -lL {file}\n\
          $ kubectl exec POD -c asterisk -- ls -lL {file}",
    remedy: "Coloque ali o certificado, primeiro o do servidor e depois os intermediários, ou indique o caminho certo em \
             `certificate.cert` (ou em `tlscertfile` do http.conf). No Kubernetes, o Secret precisa ter a chave tls.crt e ser montado como \
             diretório inteiro.\n\
             $ cp /etc/letsencrypt/live/NOME/fullchain.pem {file}",
};

pub(super) const CERT_UNREADABLE: Text = Text {
    title: "o arquivo do certificado não pode ser lido",
    meaning: "{file} existe, mas a conta que precisa lê-lo não tem permissão: {reason}. O Asterisk perderia a porta TLS no próximo \
              reload; os navegadores veriam 1006. Basta que um diretório do caminho barre a conta.",
    see: "$ namei -l {file}\n\
          $ ps -o user=,group= -C asterisk",
    remedy: "Deixe o grupo do Asterisk ler o arquivo e entrar nos diretórios.\n\
             $ chgrp asterisk {file} && chmod 0644 {file}\n\
             No Kubernetes um Secret vem com o grupo de `fsGroup`, que o `defaultMode` precisa deixar ler:\n\
             | securityContext:\n\
             |   fsGroup: 102\n\
             | volumes:\n\
             |   - {name: tls, secret: {secretName: tls, defaultMode: 0440}}\n\
             No modo staged é `certificate.publish` que diz quem pode ler o que é publicado: `gid` e `mode`.",
};

pub(super) const CERT_EMPTY: Text = Text {
    title: "o arquivo do certificado está vazio",
    meaning: "{file} não tem conteúdo, como depois de uma cópia que falhou ou com o disco cheio. Carregá-lo derrubaria o WSS: a porta \
              aceitaria TCP e todo handshake TLS morreria (1006 no navegador).",
    see: "$ ls -lL {file}\n\
          $ df -h {file}",
    remedy: "Grave o certificado de novo.\n\
             $ cp /etc/letsencrypt/live/NOME/fullchain.pem {file}",
};

pub(super) const CERT_NOT_PEM: Text = Text {
    title: "o arquivo do certificado não contém certificado PEM",
    meaning: "Nada em {file} é um bloco `-----BEGIN CERTIFICATE-----` legível. O Asterisk só lê PEM e ficaria fora do ar com ele.",
    see: "$ head -c 80 {file}\n\
          $ openssl x509 -in {file} -noout -subject",
    remedy: "Grave o certificado em PEM. A partir de um arquivo PKCS#12 (.pfx, .p12):\n\
             $ openssl pkcs12 -in ARQUIVO.p12 -nokeys -out {file}",
};

pub(super) const CERT_IS_DER: Text = Text {
    title: "o certificado está em DER, e o Asterisk lê PEM",
    meaning: "{file} é um certificado em forma binária (.cer, .der). A porta TLS do Asterisk não conseguiria carregá-lo, e os navegadores \
              veriam 1006.",
    see: "$ openssl x509 -inform DER -in {file} -noout -subject -dates",
    remedy: "Converta-o e acrescente os intermediários depois dele.\n\
             $ openssl x509 -inform DER -in {file} -out {file}.pem && cat intermediate.pem >> {file}.pem\n\
             $ mv {file}.pem {file}",
};

pub(super) const CERT_IS_KEY: Text = Text {
    title: "o arquivo do certificado contém uma chave privada",
    meaning: "{file} está configurado como certificado e só contém uma chave privada: quase sempre os dois caminhos estão trocados. O \
              Asterisk ficaria fora do ar com ele.",
    see: "$ grep -- -----BEGIN {file}\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "Indique cada arquivo no seu lugar, tanto no http.conf quanto nas configurações do agente.\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem",
};

pub(super) const KEY_MISSING: Text = Text {
    title: "o arquivo da chave privada não existe",
    meaning: "Não há nada em {file}. O que o Asterisk serve agora continua no ar, mas no próximo reload ou reinício o TLS não subiria: 1006 \
              para todos os navegadores.",
    see: "$ ls -lL {file}\n\
          $ kubectl exec POD -c asterisk -- ls -lL {file}",
    remedy: "Coloque ali a chave, ou indique o caminho certo em `certificate.key` (ou em `tlsprivatekey` do http.conf). No Kubernetes, o \
             Secret precisa ter a chave tls.key.\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NOME/privkey.pem {file}",
};

pub(super) const KEY_UNREADABLE: Text = Text {
    title: "o arquivo da chave privada não pode ser lido",
    meaning: "{file} existe, mas a conta que precisa lê-lo não tem permissão: {reason}. É típico depois de uma renovação que gravou a chave \
              como root com modo 0600. O Asterisk perderia a porta TLS no próximo reload; os navegadores veriam 1006.",
    see: "$ namei -l {file}\n\
          $ ps -o user=,group= -C asterisk",
    remedy: "Deixe o grupo do Asterisk, e ninguém mais, ler a chave.\n\
             $ chgrp asterisk {file} && chmod 0640 {file}\n\
             No Kubernetes um Secret vem com o grupo de `fsGroup`, que o `defaultMode` precisa deixar ler:\n\
             | securityContext:\n\
             |   fsGroup: 102\n\
             | volumes:\n\
             |   - {name: tls, secret: {secretName: tls, defaultMode: 0440}}\n\
             No modo staged é `certificate.publish` que diz quem pode ler o que é publicado: `gid` e `mode`.",
};

pub(super) const KEY_EMPTY: Text = Text {
    title: "o arquivo da chave privada está vazio",
    meaning: "{file} não tem conteúdo. Carregá-lo derrubaria o WSS: o TCP conecta, todo handshake TLS morre, os navegadores veem 1006.",
    see: "$ ls -lL {file}\n\
          $ df -h {file}",
    remedy: "Grave a chave de novo.\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NOME/privkey.pem {file}",
};

pub(super) const KEY_NOT_PEM: Text = Text {
    title: "o arquivo da chave privada não contém chave PEM",
    meaning: "Nada em {file} é um bloco `-----BEGIN … PRIVATE KEY-----` legível. O Asterisk ficaria fora do ar com ele.",
    see: "$ grep -c -- '-----BEGIN' {file}\n\
          $ openssl pkey -in {file} -noout",
    remedy: "Grave a chave em PEM. A partir de DER:\n\
             $ openssl pkey -inform DER -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem\n\
             A partir de um arquivo PKCS#12 (.pfx, .p12):\n\
             $ openssl pkcs12 -in ARQUIVO.p12 -nocerts -nodes -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem\n\
             A partir de PKCS#8 versão 2, que contém também a chave pública e que o OpenSSL 1.1 e o 3.0 não leem, com o OpenSSL 3.6:\n\
             $ openssl pkey -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem",
};

pub(super) const KEY_IS_CERT: Text = Text {
    title: "o arquivo da chave privada contém um certificado",
    meaning: "{file} está configurado como chave e só contém um certificado: os caminhos estão trocados, ou ambos indicam o mesmo arquivo. O \
              Asterisk ficaria fora do ar com ele. Um arquivo combinado nos dois caminhos funciona, desde que a chave esteja dentro dele.",
    see: "$ grep -- -----BEGIN {file}\n\
          $ grep -nE '^(tlscertfile|tlsprivatekey)' /etc/asterisk/http.conf",
    remedy: "Indique cada arquivo no seu lugar, tanto no http.conf quanto nas configurações do agente.\n\
             | tlscertfile = /caminho/para/fullchain.pem\n\
             | tlsprivatekey = /caminho/para/privkey.pem",
};

pub(super) const KEY_ENCRYPTED: Text = Text {
    title: "a chave privada pede uma senha",
    meaning: "{file} está cifrado, e ninguém digita senha durante um reload. O Asterisk manteria a porta aberta e falharia em todo \
              handshake TLS (1006).",
    see: "$ grep -m1 -E 'ENCRYPTED' {file}",
    remedy: "Guarde a chave sem senha (o comando a pede uma única vez), legível só para o Asterisk.\n\
             $ openssl pkey -in {file} -out {file}.pem\n\
             $ install -m 0640 -g asterisk {file}.pem {file} && rm {file}.pem",
};

pub(super) const KEY_MISMATCH: Text = Text {
    title: "a chave privada é de outro certificado",
    meaning: "Certificado e chave não formam um par. O Asterisk diria que o reload deu certo, largaria o certificado antigo e falharia em todo \
              handshake TLS (1006 no navegador); as versões mais novas até responderiam em texto claro. O Starkeeper não o carrega, e o que é \
              servido agora permanece.",
    see: "As duas somas precisam ser iguais:\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Instale certificado e chave da mesma emissão, os dois arquivos. O Certbot os guarda lado a lado:\n\
             $ cp /etc/letsencrypt/live/NOME/fullchain.pem {cert}\n\
             $ install -m 0640 -g asterisk /etc/letsencrypt/live/NOME/privkey.pem {file}\n\
             cert-manager: mande emitir o par de novo.\n\
             $ cmctl renew CERTIFICADO -n NAMESPACE",
};

pub(super) const KEY_WEAK: Text = Text {
    title: "a chave é fraca demais para o OpenSSL carregar",
    meaning: "Encontrado: {found}. O nível de segurança 2 do OpenSSL, padrão do Debian e da maioria das imagens, recusa RSA abaixo de 2048 \
              bits (`ee key too small`): o Asterisk ficaria fora do ar com ela.",
    see: "$ openssl x509 -in {file} -noout -text | grep Public-Key",
    remedy: "Mande emitir um certificado para uma chave P-256 (ou RSA 2048 ou maior).\n\
             $ certbot certonly --cert-name NOME --key-type ecdsa --force-renewal\n\
             cert-manager, no Certificate:\n\
             | spec:\n\
             |   privateKey: {algorithm: ECDSA, size: 256, rotationPolicy: Always}",
};

pub(super) const KEY_UNSUPPORTED: Text = Text {
    title: "um tipo de chave que nem todo navegador aceita",
    meaning: "A chave é {found}. O OpenSSL, e com ele o Asterisk, pode muito bem carregá-la, e os navegadores só aceitam RSA, P-256 e P-384 (o Firefox \
              também P-521): com outro tipo encerram o TLS, 1006. Alguns tipos o verificador não conhece e por isso não sabe dizer se o par combina.",
    see: "As duas somas precisam ser iguais:\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Emita o certificado para uma chave P-256 ou RSA 2048:\n\
             $ certbot certonly --cert-name NOME --key-type ecdsa --force-renewal",
};

pub(super) const KEY_WORLD_READABLE: Text = Text {
    title: "qualquer conta pode ler a chave privada",
    meaning: "O Asterisk carrega {file} do mesmo jeito: ao contrário do que muito se diz, ele não confere o modo. Mas quem ler a chave pode se \
              passar por este servidor.",
    see: "$ ls -lL {file}",
    remedy: "Deixe só o grupo do Asterisk lê-la.\n\
             $ chgrp asterisk {file} && chmod 0640 {file}\n\
             No Kubernetes, com um fsGroup:\n\
             | secret: {secretName: wss-tls, defaultMode: 0440}",
};

pub(super) const PAIR_TORN: Text = Text {
    title: "só metade do par foi trocada",
    meaning: "Faz mais tempo do que uma cópia leva que certificado e chave não combinam: uma rotação parou no meio. Nada é carregado, e o que é \
              servido agora permanece; um reinício do Asterisk neste estado deixaria o WSS fora do ar (1006).",
    see: "$ ls -lLt --time-style=full-iso tls.crt tls.key\n\
          $ openssl x509 -in tls.crt -noout -pubkey | openssl sha256\n\
          $ openssl pkey -in tls.key -pubout | openssl sha256",
    remedy: "Grave a outra metade da mesma emissão. Ela é aceita sozinha assim que as duas combinarem.\n\
             $ cp /etc/letsencrypt/live/NOME/fullchain.pem tls.crt\n\
             $ cp /etc/letsencrypt/live/NOME/privkey.pem tls.key",
};

pub(super) const LEAF_NOT_FIRST: Text = Text {
    title: "o certificado do servidor não é o primeiro do arquivo",
    meaning: "O OpenSSL toma o primeiro certificado de {file} como o do próprio servidor. Ali está outro, a chave então não combina com ele, e o \
              Asterisk ficaria fora do ar.",
    see: "Na ordem do arquivo:\n\
          $ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout",
    remedy: "Ponha primeiro o certificado do servidor, depois cada emissor após o que ele assinou.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_INCOMPLETE: Text = Text {
    title: "falta um certificado intermediário no arquivo",
    meaning: "O arquivo termina em um certificado emitido por {issuer}, que não está nele. Alguns navegadores de desktop buscam ou conhecem o que \
              falta; outros, os celulares e a maioria dos clientes de linha de comando recusam (1006). `tlscafile` no http.conf não ajuda: o \
              Asterisk não o respeita.",
    see: "$ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout\n\
          $ openssl x509 -in {file} -noout -issuer -ext authorityInfoAccess",
    remedy: "Use a cadeia completa. Certbot:\n\
             $ cp /etc/letsencrypt/live/NOME/fullchain.pem {file}\n\
             Outras autoridades: acrescente o intermediário que elas publicam.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_DISORDERED: Text = Text {
    title: "os intermediários estão fora de ordem",
    meaning: "O Asterisk serve os certificados na ordem do arquivo. Os navegadores se viram; alguns clientes rigorosos (telefones SIP, \
              bibliotecas TLS antigas) recusam uma cadeia em que um certificado não é seguido pelo seu emissor.",
    see: "Cada emissor precisa ser o próximo titular:\n\
          $ openssl crl2pkcs7 -nocrl -certfile {file} | openssl pkcs7 -print_certs -noout",
    remedy: "Coloque em ordem: o do servidor, o emissor dele, o emissor deste; a raiz pode ficar de fora.\n\
             $ cat leaf.pem intermediate.pem > {file}",
};

pub(super) const CHAIN_EXPIRES_FIRST: Text = Text {
    title: "um intermediário vence antes do certificado",
    meaning: "{subject}, que está na cadeia, termina em {notAfter}, antes do certificado do servidor. A partir desse momento os navegadores \
              recusam a cadeia inteira (1006), embora o certificado ainda pareça válido.",
    see: "$ openssl storeutl -noout -text -certs {file} | grep -E 'Subject:|Not After'",
    remedy: "Mande emitir o certificado de novo, para que venha com o intermediário atual.\n\
             $ certbot renew --cert-name NOME --force-renewal",
};

pub(super) const LEAF_EXPIRED: Text = Text {
    title: "o certificado venceu",
    meaning: "Ele terminou em {notAfter}. O Asterisk o carrega e serve sem dizer nada; todo navegador o recusa (1006, \
              NET::ERR_CERT_DATE_INVALID na página).",
    see: "$ openssl x509 -in {file} -noout -dates; date -u\n\
          $ kubectl describe certificate NOME",
    remedy: "Renove-o e veja por que a renovação não rodou.\n\
             $ certbot renew --cert-name NOME --force-renewal; systemctl list-timers 'certbot*'\n\
             cert-manager:\n\
             $ cmctl renew CERTIFICADO -n NAMESPACE; cmctl status certificate CERTIFICADO -n NAMESPACE",
};

pub(super) const LEAF_NOT_YET_VALID: Text = Text {
    title: "o certificado ainda não é válido",
    meaning: "Ele começa em {notBefore}, e pelo relógio daqui agora é {now}. O Asterisk o serviria; os navegadores o recusariam (1006). Ou foi \
              instalado cedo demais, ou algum relógio está errado.",
    see: "$ openssl x509 -in {file} -noout -dates; date -u\n\
          $ timedatectl",
    remedy: "Se o relógio estiver errado, mande acertá-lo; se não, fique com o certificado antigo até lá. O novo é aceito sozinho quando chegar a hora.\n\
             $ timedatectl set-ntp true\n\
             Se o antigo não existe mais, mande emitir outra vez, a partir de agora:\n\
             $ certbot renew --cert-name NOME --force-renewal",
};

pub(super) const LEAF_EXPIRING: Text = Text {
    title: "o certificado vence em breve",
    meaning: "Ele termina em {notAfter}. Até lá tudo funciona; a partir desse momento todo navegador vê 1006. A renovação automática já deveria \
              tê-lo trocado.",
    see: "$ openssl x509 -in {file} -noout -enddate\n\
          $ systemctl list-timers 'certbot*'; certbot certificates\n\
          $ kubectl get certificate,certificaterequest,order,challenge -A",
    remedy: "Renove agora e conserte a renovação automática.\n\
             $ certbot renew --cert-name NOME --dry-run && certbot renew --cert-name NOME\n\
             cert-manager:\n\
             $ cmctl renew CERTIFICADO -n NAMESPACE",
};

pub(super) const LEAF_IS_CA: Text = Text {
    title: "o certificado do servidor está marcado como autoridade",
    meaning: "Ele diz CA:TRUE. O Asterisk o carrega e muitos navegadores o aceitam quando é confiável, mas o Firefox e outros clientes rigorosos \
              recusam o certificado de uma autoridade no lugar do de um servidor.",
    see: "$ openssl x509 -in {file} -noout -ext basicConstraints",
    remedy: "Emita-o como certificado final. Para um teste seu:\n\
             $ openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \\\n\
             $   -keyout tls.key -out tls.crt -subj /CN=NOME -addext subjectAltName=DNS:NOME \\\n\
             $   -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth",
};

pub(super) const LEAF_NOT_FOR_SERVERS: Text = Text {
    title: "o certificado não é destinado a servidores",
    meaning: "O uso estendido da chave não inclui serverAuth (talvez seja um certificado de cliente ou de e-mail). O Asterisk o serviria; os \
              navegadores o recusam (1006).",
    see: "$ openssl x509 -in {file} -noout -ext extendedKeyUsage\n\
          $ openssl x509 -in {file} -noout -purpose | grep 'SSL server'",
    remedy: "Mande emiti-lo para servidores, como o Let's Encrypt faz:\n\
             $ certbot certonly --cert-name NOME --force-renewal\n\
             cert-manager, no Certificate:\n\
             | spec:\n\
             |   usages: [digital signature, server auth]\n\
             Com openssl, ao assinar:\n\
             | extendedKeyUsage = serverAuth",
};

pub(super) const NAME_NOT_COVERED: Text = Text {
    title: "o certificado não cobre um nome que os clientes usam",
    meaning: "Os clientes conectam a {name}; o certificado é de outros nomes. Os navegadores comparam o host do endereço wss:// com os nomes \
              alternativos do certificado e recusam (1006, NET::ERR_CERT_COMMON_NAME_INVALID). Um curinga cobre um único nível.",
    see: "$ openssl x509 -in {file} -noout -ext subjectAltName\n\
          $ openssl x509 -in {file} -noout -checkhost {name}",
    remedy: "Mande emitir um certificado que o cubra (indique também os nomes antigos), ou faça os clientes usarem um nome coberto.\n\
             $ certbot certonly --cert-name CERT -d OUTRONOME -d {name}\n\
             cert-manager, no Certificate:\n\
             | spec:\n\
             |   dnsNames: [{name}]",
};

pub(super) const NAME_ONLY_IN_CN: Text = Text {
    title: "o nome só está no CN, que os navegadores ignoram",
    meaning: "{name} é o nome comum do titular, mas não um nome alternativo. Há anos os navegadores não leem o CN: eles o recusam (1006), \
              enquanto `openssl s_client` pode parecer bem.",
    see: "$ openssl x509 -in {file} -noout -subject -ext subjectAltName",
    remedy: "Mande emiti-lo com o nome como nome alternativo do titular, como o Let's Encrypt sempre faz:\n\
             $ certbot certonly --cert-name CERT -d {name} --force-renewal\n\
             Outra autoridade recebe um pedido que o indica:\n\
             $ openssl req -new -key tls.key -out tls.csr -subj /CN={name} -addext subjectAltName=DNS:{name}",
};

pub(super) const SIGNATURE_WEAK: Text = Text {
    title: "o certificado foi assinado com um algoritmo quebrado",
    meaning: "A assinatura usa {found}. O OpenSSL do Asterisk pode até carregá-lo; nenhum navegador atual aceita assinaturas SHA-1 ou MD5 (1006).",
    see: "$ openssl x509 -in {file} -noout -text | grep -m1 'Signature Algorithm'",
    remedy: "Mande emitir de novo; toda autoridade assina hoje com SHA-256 ou melhor.\n\
             $ certbot renew --cert-name NOME --force-renewal\n\
             Para um certificado seu:\n\
             $ openssl x509 -req -sha256 -in tls.csr -CA ca.pem -CAkey ca.key -days 90 -copy_extensions copy -out {file}",
};

pub(super) const SELF_SIGNED: Text = Text {
    title: "o certificado é autoassinado",
    meaning: "O Asterisk o serve como qualquer outro, mas ninguém responde por ele: os navegadores o recusam (1006) até que cada usuário o aceite \
              à mão, o que um WebSocket nunca oferece.",
    see: "Titular e emissor são o mesmo:\n\
          $ openssl x509 -in {file} -noout -subject -issuer",
    remedy: "Obtenha um de uma autoridade em que os navegadores confiam.\n\
             $ certbot certonly --standalone -d NOME\n\
             Para um teste, abra isto uma vez no navegador e aceite o aviso:\n\
             | https://NOME:8089/ws",
};

pub(super) const ISSUER_UNTRUSTED: Text = Text {
    title: "os navegadores não confiam em quem emitiu o certificado",
    meaning: "A cadeia está completa e leva a {issuer}, que não está entre as autoridades confiáveis: talvez seja privada ou de testes. Navegadores \
              que não a tenham recusam (1006, NET::ERR_CERT_AUTHORITY_INVALID).",
    see: "$ openssl x509 -in {file} -noout -issuer\n\
          $ openssl verify -untrusted {file} {file}",
    remedy: "Use uma autoridade pública (com o Let's Encrypt, não o servidor de staging):\n\
             $ certbot certonly --cert-name NOME --force-renewal\n\
             Ou instale a raiz privada em cada cliente e a indique nas configurações:\n\
             | certificate:\n\
             |   trust: /etc/ssl/private-root.pem",
};
