{{/*
_cel.tpl: any value → the CEL literal that means the same. CEL wants all values of a map to be of one type, so each is wrapped in `dyn`. A text
that begins with `cel:` is taken as an expression.
*/}}

{{- define "starkeeper.cel" -}}
{{- if kindIs "map" . -}}
{
{{- $first := true -}}
{{- range $key, $value := . -}}
{{- if not $first }}, {{ end -}}
{{ $key | toJson }}: dyn({{ include "starkeeper.cel" $value }})
{{- $first = false -}}
{{- end -}}
}
{{- else if kindIs "slice" . -}}
[
{{- range $index, $value := . -}}
{{- if $index }}, {{ end -}}
dyn({{ include "starkeeper.cel" $value }})
{{- end -}}
]
{{- else if kindIs "string" . -}}
{{- if hasPrefix "cel:" . -}}
{{- trimPrefix "cel:" . -}}
{{- else -}}
{{- toJson . -}}
{{- end -}}
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . -}}{{- int64 . -}}{{- else -}}{{- toString . | toJson -}}{{- end -}}
{{- else -}}
{{- toJson . -}}
{{- end -}}
{{- end -}}
