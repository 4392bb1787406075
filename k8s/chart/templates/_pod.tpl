{{/*
The template of a service's pods: (dict "root" $ "name" NAME "component" PROGRAM "lane" LANE "values" VALUES).
Why things are as they are is said in k8s/base, whose objects these are.
*/}}
{{- define "orgbridge.pod" -}}
{{- $root := .root }}
{{- $name := .name }}
{{- $values := .values }}
{{- $gateway := eq .component "callback-gateway" }}
{{- $tenants := and (eq .component "resolver") (eq .lane "shared") $root.Values.tenants.existingSecret -}}
metadata:
  labels: {{- include "orgbridge.podLabels" . | nindent 4 }}
  annotations:
    # A changed configuration rolls the pods out.
    checksum/config: {{ include "orgbridge.toml" $root | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .component }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  {{- with include "orgbridge.pullSecrets" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- include "orgbridge.podSecurity" . | nindent 4 }}
    {{- if $gateway }}
    fsGroupChangePolicy: OnRootMismatch
    {{- end }}
  topologySpreadConstraints:
    {{- range list (dict "key" "topology.kubernetes.io/zone" "unsatisfiable" $root.Values.topologySpread.zone)
        (dict "key" "kubernetes.io/hostname" "unsatisfiable" $root.Values.topologySpread.node) }}
    - maxSkew: 1
      topologyKey: {{ .key }}
      whenUnsatisfiable: {{ .unsatisfiable }}
      nodeTaintsPolicy: Honor
      labelSelector:
        matchLabels:
          app.kubernetes.io/name: {{ $name }}
      {{- if not $gateway }}
      matchLabelKeys: [pod-template-hash]
      {{- end }}
    {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "orgbridge.image" (dict "root" $root "own" $values.image) }}
      {{- with $root.Values.image.pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      command: [{{ .component }}, --config, orgbridge.toml]
      workingDir: /etc/orgbridge
      {{- $env := list }}
      {{- with .lane }}
      {{- $env = append $env (dict "name" "ORGBRIDGE__BROKER__LANES" "value" .) }}
      {{- end }}
      {{- if $tenants }}
      {{- $env = append $env (dict "name" "ORGBRIDGE__TENANTS_DIR" "value" "/run/secrets/orgbridge-tenants") }}
      {{- end }}
      {{- with concat $env $values.extraEnv }}
      env: {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        {{- if $gateway }}
        - name: http
          containerPort: 8080
        {{- end }}
        - name: admin
          containerPort: 8082
      startupProbe:
        httpGet:
          path: /healthz
          port: admin
        periodSeconds: 2
        failureThreshold: 300
      livenessProbe:
        httpGet:
          path: /healthz
          port: admin
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: admin
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 2
      resources: {{- toYaml $values.resources | nindent 8 }}
      securityContext: {{- include "orgbridge.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/orgbridge
          readOnly: true
        - name: secrets
          mountPath: /run/secrets/orgbridge
          readOnly: true
        {{- if $gateway }}
        - name: data
          mountPath: /var/lib/orgbridge
        {{- end }}
        {{- if $tenants }}
        - name: tenants
          mountPath: /run/secrets/orgbridge-tenants
          readOnly: true
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: orgbridge
    - name: secrets
      secret:
        secretName: {{ include "orgbridge.secretName" $root }}
        defaultMode: 0440
    {{- if $tenants }}
    - name: tenants
      secret:
        secretName: {{ $tenants }}
        defaultMode: 0440
        optional: true
    {{- end }}
{{- end }}

{{- define "orgbridge.pullSecrets" -}}
{{- with .Values.image.pullSecrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "orgbridge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "orgbridge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The PodDisruptionBudget of a service; the argument is that of its pods. */}}
{{- define "orgbridge.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "orgbridge.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      app.kubernetes.io/name: {{ .name }}
{{- end }}
