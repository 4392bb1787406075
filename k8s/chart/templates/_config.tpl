{{/* The configuration as JSON: what the objects of this chart rest on, and .Values.config over it. */}}
{{- define "orgbridge.config" -}}
{{- $keys := .Values.existingSecret.keys }}
{{- $secret := "/run/secrets/orgbridge/" }}
{{- $config := dict
    "data_dir" "/var/lib/orgbridge"
    "database" (dict "url" (dict "file" (print $secret $keys.databaseUrl)))
    "broker" (dict "url" (dict "file" (print $secret $keys.brokerUrl)))
    "callback_gateway" (dict "listen" "0.0.0.0:8080")
    "admin" (dict "listen" "0.0.0.0:8082")
    "secrets" (dict "master_key" (dict "file" (print $secret $keys.masterKey)))
    "telemetry" (dict "log_format" "json") }}
{{- toJson (mergeOverwrite $config (deepCopy .Values.config)) }}
{{- end }}

{{/* orgbridge.toml. Helm's own toToml writes 8 as 8.0, which is refused where a whole number belongs. */}}
{{- define "orgbridge.toml" -}}
{{- $config := include "orgbridge.config" . | fromJson }}
{{- range $key, $value := $config }}
{{- if not (kindIs "map" $value) }}
{{- $key }} = {{ include "orgbridge.tomlValue" $value }}
{{ end }}
{{- end }}
{{- range $section, $keys := $config }}
{{- if kindIs "map" $keys }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "orgbridge.tomlValue" $value }}
{{- end }}
{{ end }}
{{- end }}
{{- end }}

{{/* A text, a list of texts, or a flag is written as in JSON. */}}
{{- define "orgbridge.tomlValue" -}}
{{- if kindIs "map" . -}}
{ {{ range $key, $value := . }}{{ $key }} = {{ toRawJson $value }}{{ end }} }
{{- else if and (kindIs "float64" .) (eq . (floor .)) -}}
{{ int64 . }}
{{- else -}}
{{ toRawJson . }}
{{- end -}}
{{- end }}
