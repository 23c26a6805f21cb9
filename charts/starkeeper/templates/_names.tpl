{{/*
_names.tpl: a scope (`.`, or `.Subcharts.starkeeper` of another chart) → names, labels and images. Refuses an image without a name.
*/}}

{{- define "starkeeper.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "starkeeper.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "starkeeper.labels" -}}
{{ include "starkeeper.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* {image, tag of last resort} → a reference. */ -}}
{{- define "starkeeper.reference" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .tag) -}}
{{- end -}}
{{- end -}}

{{- define "starkeeper.image" -}}
{{- include "starkeeper.reference" (dict "image" .Values.image "tag" .Chart.AppVersion) -}}
{{- end -}}

{{- /* The Secret that holds the certificate. */ -}}
{{- define "starkeeper.tlsSecret" -}}
{{- if .Values.certificate.secretName -}}
{{- .Values.certificate.secretName -}}
{{- else if .Values.certificate.generate -}}
{{- printf "%s-tls" (include "starkeeper.fullname" .) -}}
{{- else -}}
{{- fail "\n\ncertificate.secretName is needed: the Secret of type kubernetes.io/tls that holds the certificate.\nFor a trial, a certificate of one's own is made by: --set certificate.generate=true\n" -}}
{{- end -}}
{{- end -}}

{{- /* The Secret that holds the AMI user's secret; empty: it is read from manager.conf. */ -}}
{{- define "starkeeper.amiSecret" -}}
{{- if .Values.asterisk.ami.secretName -}}
{{- .Values.asterisk.ami.secretName -}}
{{- else if .Values.asterisk.enabled -}}
{{- printf "%s-ami" (include "starkeeper.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- /* The pod's volume with Asterisk's configuration. */ -}}
{{- define "starkeeper.configVolume" -}}
{{- ternary "asterisk-config" .Values.asterisk.configVolume .Values.asterisk.enabled -}}
{{- end -}}

{{- /* Asterisk's user and group: set in a standalone pod, elsewhere what is known. */ -}}
{{- define "starkeeper.asteriskUid" -}}
{{- if not (kindIs "invalid" .Values.asterisk.uid) -}}{{- .Values.asterisk.uid | int64 -}}{{- else if .Values.asterisk.enabled -}}5060{{- end -}}
{{- end -}}
{{- define "starkeeper.asteriskGid" -}}
{{- if not (kindIs "invalid" .Values.asterisk.gid) -}}{{- .Values.asterisk.gid | int64 -}}{{- else if .Values.asterisk.enabled -}}5060{{- end -}}
{{- end -}}
{{- define "starkeeper.gid" -}}
{{- include "starkeeper.asteriskGid" . | default "65532" -}}
{{- end -}}

{{- /* Of a Secret's files. Without fsGroup they belong to root, and only the last digit lets the sidecar read. */ -}}
{{- define "starkeeper.secretMode" -}}
{{- .Values.certificate.secretMode | default (ternary "0440" "0444" .Values.asterisk.enabled) -}}
{{- end -}}

{{- /* "true" where anything of Kubernetes is switched on, for an account that is known. */ -}}
{{- define "starkeeper.speaks" -}}
{{- $on := or .Values.kubernetes.events .Values.kubernetes.condition .Values.kubernetes.nudge .Values.kubernetes.rotation -}}
{{- if and $on (or .Values.asterisk.enabled .Values.rbac.serviceAccounts) -}}true{{- end -}}
{{- end -}}

{{- /* Where the agent finds its token; where it shall not speak to the cluster, a folder that is not there, whatever the pod has mounted. */ -}}
{{- define "starkeeper.account" -}}
{{- ternary "/var/run/secrets/kubernetes.io/serviceaccount" "/run/starkeeper/no-account" (eq (include "starkeeper.speaks" .) "true") -}}
{{- end -}}
