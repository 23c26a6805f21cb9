{{/*
_checks.tpl: what a labelled pod must say before the sidecar can be put into it: each as a CEL expression, and the sentence in which a user reads
that it is not so (`sentence`: as an expression). One list for the policy that adds and for the one that refuses.
*/}}

{{- define "starkeeper.inject.checks" -}}
- name: asterisk-is-there
  expression: >-
    object.spec.containers.exists(c, c.name == {{ include "starkeeper.inject.annotation" (list "container" .Values.asterisk.container) }})
  sentence: >-
    "Starkeeper: no container is named `" + {{ include "starkeeper.inject.annotation" (list "container" .Values.asterisk.container) }}
    + "` (there are: " + object.spec.containers.map(c, c.name).join(", ") + "); name Asterisk's container in the annotation starkeeper.dev/container"
- name: secret-is-named
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "secret" .Values.certificate.secretName) }} != ""
  message: >-
    Starkeeper: no certificate is named; name its Secret in the annotation starkeeper.dev/secret
- name: mode-is-known
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "mode" .Values.certificate.mode) }} in ["staged", "in-place"]
  message: >-
    Starkeeper: the annotation starkeeper.dev/mode is `staged` or `in-place`
- name: probes-are-known
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "probes" "replace") }} in ["replace", "keep", "none"]
  message: >-
    Starkeeper: the annotation starkeeper.dev/probes is `replace`, `keep` or `none`
- name: trust-is-known
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "trust" .Values.certificate.trust) }} in ["system", "none", "ca.crt"]
  message: >-
    Starkeeper: the annotation starkeeper.dev/trust is `system`, `none` or `ca.crt`
- name: directory-is-a-path
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "directory" .Values.certificate.directory) }}.matches("^(/[A-Za-z0-9._-]+)+$")
  message: >-
    Starkeeper: the annotation starkeeper.dev/directory is an absolute path of letters, digits, `.`, `_` and `-`
- name: gid-is-a-number
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "gid" "0") }}.matches("^[0-9]{1,9}$")
  message: >-
    Starkeeper: the annotation starkeeper.dev/gid is the number of Asterisk's group
- name: ami-secret-is-known
  expression: >-
    {{ include "starkeeper.inject.annotation" (list "ami-secret" .Values.asterisk.ami.secretName) }} != ""
    || object.spec.containers.exists(c, c.?volumeMounts.orValue([]).exists(m, m.mountPath == {{ toJson .Values.asterisk.configDir }}
    || m.mountPath == {{ printf "%s/manager.conf" .Values.asterisk.configDir | toJson }}))
  message: >-
    Starkeeper: the AMI secret is not known; mount {{ .Values.asterisk.configDir }} from a volume, or name a Secret with the key `secret` in the annotation starkeeper.dev/ami-secret
{{- end -}}
