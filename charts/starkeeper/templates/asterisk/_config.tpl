{{/*
_config.tpl: a scope → the configuration of a standalone Asterisk, one YAML map of file names to texts. As little as serves wss:// with PJSIP;
what `asterisk.config` names replaces or joins it.
*/}}

{{- define "starkeeper.config" -}}
{{- $files := include "starkeeper.config.files" . | fromYaml -}}
{{- mustMergeOverwrite $files (deepCopy .Values.asterisk.config) | toYaml -}}
{{- end -}}

{{- define "starkeeper.config.files" -}}
{{- $staged := eq .Values.certificate.mode "staged" -}}
{{- $tls := .Values.certificate.directory -}}
asterisk.conf: |
  [directories]
  astetcdir => {{ .Values.asterisk.configDir }}
  {{- with .Values.asterisk.moduleDir }}
  astmoddir => {{ . }}
  {{- end }}
  astdbdir => /run/asterisk
  astkeydir => /run/asterisk
  astspooldir => /run/asterisk
  astrundir => /run/asterisk
  astlogdir => /run/asterisk
  astcachedir => /run/asterisk
  [options]
  verbose = 2
  nocolor = yes
logger.conf: |
  [general]
  [logfiles]
  console => notice,warning,error
modules.conf: |
  [modules]
  autoload = no
  {{- range concat (include "starkeeper.config.modules" . | fromYamlArray) .Values.asterisk.modules }}
  load = {{ . }}
  {{- end }}
http.conf: |
  [general]
  ; Names a file that must not exist: so Asterisk reads this file anew on every reload, and a reload can heal a dead listener.
  #tryinclude starkeeper.absent
  enabled = yes
  bindaddr = 127.0.0.1
  bindport = 8088
  tlsenable = yes
  tlsbindaddr = 0.0.0.0:8089
  tlscertfile = {{ $tls }}/{{ ternary "fullchain.pem" "tls.crt" $staged }}
  tlsprivatekey = {{ $tls }}/{{ ternary "privkey.pem" "tls.key" $staged }}
manager.conf: |
  [general]
  #tryinclude starkeeper.absent
  enabled = yes
  webenabled = no
  displayconnects = no
  bindaddr = 127.0.0.1
  port = 5038
  ; The user, from a Secret.
  #include ami.d/manager.conf
pjsip.conf: |
  [transport-wss]
  type = transport
  protocol = wss
  bind = 0.0.0.0
  #tryinclude /etc/asterisk.d/pjsip*.conf
extensions.conf: |
  [default]
  exten => echo,1,Answer()
   same => n,Echo()
  #tryinclude /etc/asterisk.d/extensions*.conf
indications.conf: |
  [general]
  country = us
  [us]
  description = United States
  ringcadence = 2000,4000
  dial = 350+440
  busy = 480+620/500,0/500
cdr.conf: |
  [general]
  enable = no
rtp.conf: |
  [general]
  rtpstart = {{ .Values.asterisk.rtp.start }}
  rtpend = {{ .Values.asterisk.rtp.end }}
cli_aliases.conf: |
  [general]
  template = friendly
  [friendly]
  pjsip reload = module reload res_pjsip.so res_pjsip_authenticator_digest.so res_pjsip_endpoint_identifier_ip.so res_pjsip_mwi.so res_pjsip_notify.so res_pjsip_outbound_publish.so res_pjsip_publish_asterisk.so res_pjsip_outbound_registration.so
{{- /* Missing ones are complained about; empty ones are not. */}}
{{- range list "acl" "ccss" "cel" "cli_permissions" "codecs" "dnsmgr" "dsp" "enum" "features" "pjproject" "pjsip_notify" "stasis" "udptl" }}
{{ . }}.conf: ""
{{- end }}
{{- end -}}

{{- define "starkeeper.config.modules" -}}
[res_timing_timerfd.so, res_sorcery_config.so, res_sorcery_memory.so, res_sorcery_astdb.so, res_pjproject.so, res_http_websocket.so,
 res_pjsip.so, res_pjsip_session.so, res_pjsip_pubsub.so, res_pjsip_transport_websocket.so, res_pjsip_authenticator_digest.so,
 res_pjsip_endpoint_identifier_user.so, res_pjsip_endpoint_identifier_ip.so, res_pjsip_registrar.so, res_pjsip_nat.so,
 res_pjsip_sdp_rtp.so, res_pjsip_caller_id.so, res_pjsip_rfc3326.so, res_pjsip_mwi.so, res_pjsip_notify.so,
 res_pjsip_outbound_publish.so, res_pjsip_publish_asterisk.so, res_pjsip_outbound_registration.so, res_rtp_asterisk.so, res_srtp.so,
 chan_pjsip.so, bridge_simple.so, codec_ulaw.so, codec_alaw.so, app_dial.so, app_echo.so, pbx_config.so, res_clialiases.so]
{{- end -}}
