{{/*
_sidecar.tpl: a scope → the pieces of a pod: what other charts include, what a policy injects, and what the standalone Asterisk is made of.

  initContainers:  {{ include "starkeeper.container" .Subcharts.starkeeper | nindent 8 }}      a list of one: a native sidecar
  volumes:         {{ include "starkeeper.volumes" .Subcharts.starkeeper | nindent 8 }}        a list
  in Asterisk's container:
    volumeMounts:  {{ include "starkeeper.volumeMounts" .Subcharts.starkeeper | nindent 12 }}  a list
    {{ include "starkeeper.probes" .Subcharts.starkeeper | nindent 10 }}                       startupProbe, livenessProbe, readinessProbe
*/}}

{{- define "starkeeper.container" -}}
- name: starkeeper
  image: {{ include "starkeeper.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  # An init container that keeps running is a native sidecar: it starts before Asterisk, and ends after it.
  restartPolicy: Always
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    - name: POD_NAMESPACE
      valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
    - name: STARKEEPER_SERVICE_ACCOUNT
      value: {{ include "starkeeper.account" . }}
    - name: STARKEEPER_SETTINGS
      value: |
        {{- include "starkeeper.settings" . | nindent 8 }}
  ports:
    - name: starkeeper
      containerPort: {{ .Values.port }}
  startupProbe:
    httpGet: {path: {{ ternary "/startupz" "/healthz" .Values.certificate.required }}, port: {{ .Values.port }}}
    periodSeconds: 1
    timeoutSeconds: 3
    failureThreshold: 600
  livenessProbe:
    httpGet: {path: /healthz, port: {{ .Values.port }}}
    periodSeconds: 10
    timeoutSeconds: 3
    failureThreshold: 3
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    readOnlyRootFilesystem: true
    runAsGroup: {{ include "starkeeper.gid" . }}
    runAsNonRoot: true
    runAsUser: {{ .Values.runAsUser }}
    seccompProfile: {type: RuntimeDefault}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - name: starkeeper-source
      mountPath: {{ include "starkeeper.source" . }}
      readOnly: true
    {{- if eq .Values.certificate.mode "staged" }}
    - name: starkeeper-published
      mountPath: {{ .Values.certificate.directory }}
    {{- end }}
    {{- if include "starkeeper.amiSecret" . }}
    - name: starkeeper-ami
      mountPath: /run/starkeeper/ami
      readOnly: true
    {{- end }}
    {{- with include "starkeeper.configVolume" . }}
    - name: {{ . }}
      mountPath: {{ $.Values.asterisk.configDir }}
      readOnly: true
    {{- end }}
    {{- if include "starkeeper.speaks" . }}
    - name: starkeeper-token
      mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      readOnly: true
    {{- end }}
{{- end -}}

{{- define "starkeeper.volumes" -}}
- name: starkeeper-source
  secret:
    secretName: {{ include "starkeeper.tlsSecret" . }}
    defaultMode: {{ include "starkeeper.secretMode" . }}
{{- if eq .Values.certificate.mode "staged" }}
- name: starkeeper-published
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- end }}
{{- with include "starkeeper.amiSecret" . }}
- name: starkeeper-ami
  secret:
    secretName: {{ . }}
    defaultMode: {{ include "starkeeper.secretMode" $ }}
    items: [{key: secret, path: secret}]
{{- end }}
{{- if include "starkeeper.speaks" . }}
{{ include "starkeeper.tokenVolume" . }}
{{- end }}
{{- end -}}

{{- define "starkeeper.tokenVolume" -}}
# For the sidecar alone: with `automountServiceAccountToken: false` in the pod, Asterisk gets no token.
- name: starkeeper-token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end -}}

{{- define "starkeeper.volumeMounts" -}}
- name: {{ ternary "starkeeper-published" "starkeeper-source" (eq .Values.certificate.mode "staged") }}
  mountPath: {{ .Values.certificate.directory }}
  readOnly: true
{{- end -}}

{{- define "starkeeper.probes" -}}
startupProbe:
  httpGet: {path: /livez, port: {{ .Values.port }}}
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /livez, port: {{ .Values.port }}}
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: {{ .Values.port }}}
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- end -}}
