{{/*
What all objects have: (dict "root" $ "name" NAME), with "component" and "lane" where there are any, and "labels" for more of these.
*/}}
{{- define "orgbridge.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "orgbridge.podLabels" . | nindent 2 }}
  app.kubernetes.io/instance: {{ .root.Release.Name }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* Those of pods must not change with the chart's version. */}}
{{- define "orgbridge.podLabels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/part-of: orgbridge
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- with .lane }}
orgbridge.io/lane: {{ . }}
{{- end }}
{{- end }}

{{/* The image: (dict "root" $ "own" IMAGE), where a service's own tag or digest comes before those of all. */}}
{{- define "orgbridge.image" -}}
{{- $all := .root.Values.image }}
{{- $image := ternary .own $all (or .own.digest .own.tag | empty | not) }}
{{- required "image.repository is empty: name where the image that deploy/Dockerfile makes was pushed to" $all.repository }}
{{- if or $image.tag (not $image.digest) }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "orgbridge.secretName" -}}
{{- required "existingSecret.name is empty: name a Secret with the keys database-url, broker-url and master-key; the chart makes none"
    .Values.existingSecret.name }}
{{- end }}

{{/*
The workers of all lanes, as JSON: each with its name, component, lane, values (the lane's over those of all lanes) and the kind of its
autoscaling.
*/}}
{{- define "orgbridge.workers" -}}
{{- $workers := list }}
{{- range $lane, $own := merge (dict "shared" dict) (deepCopy .Values.lanes) }}
{{- range $component := list "resolver" "sink" "synchronizer" }}
{{- $name := ternary $component (printf "%s-%s" $component $lane) (eq $lane "shared") }}
{{- $values := mergeOverwrite (deepCopy (get $.Values.services $component)) (get $own $component | default dict) }}
{{- $autoscaling := ternary "none" ($own.autoscaling | default $.Values.autoscaling.kind) (eq $component "synchronizer") }}
{{- $worker := dict "name" $name "component" $component "lane" $lane "values" $values "autoscaling" $autoscaling }}
{{- $workers = append $workers $worker }}
{{- end }}
{{- end }}
{{- toJson $workers }}
{{- end }}
