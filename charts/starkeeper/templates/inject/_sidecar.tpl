{{/*
_sidecar.tpl: the sidecar as a policy adds it: the same container as in the other ways, with what differs from pod to pod as CEL expressions
over the variables of policy.yaml.
*/}}

{{- /* A scope whose values are those of a pod that nothing is known of, in the given mode. */ -}}
{{- define "starkeeper.inject.settings" -}}
{{- $values := deepCopy .scope.Values -}}
{{- $_ := set $values.certificate "mode" .mode -}}
{{- $_ := set $values.certificate "directory" "__directory__" -}}
{{- $_ := set $values.certificate "names" list -}}
{{- $_ := set $values.certificate "trust" "__trust__" -}}
{{- $_ := set $values.asterisk "configVolume" "" -}}
{{- $_ := set $values.asterisk "uid" nil -}}
{{- $_ := set $values.asterisk "gid" nil -}}
{{- $_ := set $values.asterisk.ami "secretName" "" -}}
{{- $scope := dict "Values" $values "Release" .scope.Release "Chart" .scope.Chart -}}
{{- $settings := include "starkeeper.settings" $scope | fromYaml -}}
{{- if eq .mode "staged" -}}
{{- $_ := set $settings.certificate.publish "gid" "__gid__" -}}
{{- end -}}
{{- $_ := set $settings.certificate "cert" "__source__/tls.crt" -}}
{{- $_ := set $settings.certificate "key" "__source__/tls.key" -}}
{{- toJson $settings -}}
{{- end -}}

{{- define "starkeeper.inject.container" -}}
{{- $container := include "starkeeper.container" . | fromYamlArray | first -}}
{{- $env := list -}}
{{- range $container.env -}}
{{- if hasPrefix "POD_" .name -}}{{- $env = append $env . -}}{{- end -}}
{{- end -}}
{{- $more := dict
      "STARKEEPER_SETTINGS" "cel:variables.settings"
      "STARKEEPER_NAMES" "cel:variables.names"
      "STARKEEPER_ASTERISK_CONFIG_DIR" (printf "cel:size(variables.configMounts) == 0 ? \"\" : %s" (toJson .Values.asterisk.configDir))
      "STARKEEPER_SERVICE_ACCOUNT" "cel:variables.granted ? \"/var/run/secrets/kubernetes.io/serviceaccount\" : \"/run/starkeeper/no-account\""
      "STARKEEPER_AMI_SECRET_FILE" "cel:variables.amiSecret == \"\" ? \"\" : \"/run/starkeeper/ami/secret\""
-}}
{{- range $name, $value := $more -}}
{{- $env = append $env (dict "name" $name "value" $value) -}}
{{- end -}}
{{- $_ := set $container "env" $env -}}
{{- $_ := set $container.securityContext "runAsGroup" "cel:variables.gid" -}}
{{- $_ := set $container "volumeMounts" "cel:variables.sidecarMounts" -}}
{{- include "starkeeper.cel" $container -}}
{{- end -}}

{{- define "starkeeper.inject.token" -}}
{{- include "starkeeper.tokenVolume" . | fromYamlArray | first | include "starkeeper.cel" -}}
{{- end -}}

{{- /* (list NAME DEFAULT) → the pod's annotation starkeeper.dev/NAME, or the default. */ -}}
{{- define "starkeeper.inject.annotation" -}}
object.metadata.?annotations[?{{ printf "starkeeper.dev/%s" (first .) | toJson }}].orValue({{ last . | toJson }})
{{- end -}}

{{- define "starkeeper.inject.constraints" -}}
{{- with .Values.inject.namespaceSelector -}}
namespaceSelector:
  {{- toYaml . | nindent 2 }}
{{ end -}}
objectSelector:
  matchLabels:
    starkeeper.dev/inject: "true"
resourceRules:
  - apiGroups: [""]
    apiVersions: [v1]
    resources: [pods]
    operations: [CREATE]
{{- end -}}
