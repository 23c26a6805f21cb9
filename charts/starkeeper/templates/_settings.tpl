{{/*
_settings.tpl: a scope → Starkeeper's own settings, as YAML. What the values say in `settings` is laid over what follows from the rest.
*/}}

{{- define "starkeeper.settings" -}}
{{- $values := .Values -}}
{{- $made := dict
      "asterisk" (include "starkeeper.settings.asterisk" . | fromYaml)
      "certificate" (include "starkeeper.settings.certificate" . | fromYaml)
      "http" (dict "listen" (printf "[::]:%d" (int64 $values.port)))
-}}
{{- with include "starkeeper.settings.kubernetes" . | trim -}}
{{- $_ := set $made "kubernetes" (fromYaml .) -}}
{{- end -}}
{{- mustMergeOverwrite $made (deepCopy $values.settings) | toYaml -}}
{{- end -}}

{{- define "starkeeper.settings.asterisk" -}}
{{- if include "starkeeper.configVolume" . }}
configDir: {{ .Values.asterisk.configDir }}
{{- end }}
ami:
  username: {{ .Values.asterisk.ami.username }}
  {{- if include "starkeeper.amiSecret" . }}
  secretFile: /run/starkeeper/ami/secret
  {{- end }}
{{- $uid := include "starkeeper.asteriskUid" . }}
{{- $gid := include "starkeeper.asteriskGid" . }}
{{- if and $uid $gid }}
user: {uid: {{ $uid }}, gid: {{ $gid }}}
{{- end }}
{{- end -}}

{{- define "starkeeper.settings.certificate" -}}
{{- $from := include "starkeeper.source" . -}}
cert: {{ $from }}/tls.crt
key: {{ $from }}/tls.key
names: {{ toJson .Values.certificate.names }}
{{- if or (eq .Values.certificate.trust "ca.crt") (and .Values.certificate.generate (not .Values.certificate.secretName)) }}
trust: {{ $from }}/ca.crt
{{- else }}
trust: {{ .Values.certificate.trust }}
{{- end }}
{{- if eq .Values.certificate.mode "staged" }}
publish:
  directory: {{ .Values.certificate.directory }}
  {{- with include "starkeeper.asteriskGid" . }}
  gid: {{ . }}
  {{- end }}
  mode: "0440"
{{- end }}
{{- end -}}

{{- /* What is on is `auto`, which the agent takes by itself. */ -}}
{{- define "starkeeper.settings.kubernetes" -}}
{{- range list "events" "condition" "nudge" -}}
{{- if not (index $.Values.kubernetes .) }}
{{ . }}: "off"
{{- end -}}
{{- end -}}
{{- if not .Values.kubernetes.rotation }}
rotation: {order: "off"}
{{- end -}}
{{- end -}}

{{- /* Where the sidecar finds the Secret's files. In place, Asterisk finds them there, too. */ -}}
{{- define "starkeeper.source" -}}
{{- ternary "/run/starkeeper/source" .Values.certificate.directory (eq .Values.certificate.mode "staged") -}}
{{- end -}}
