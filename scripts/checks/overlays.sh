# What kustomize makes of k8s/overlays, for the checks that look at it. To be sourced after tools.
# shellcheck shell=bash

# render_overlays DIRECTORY: NAME.yaml there for each overlay, and for `variant`: what no overlay of ours has, the autoscaler that needs no
# KEDA, traces, and a second lane with a longer name.
render_overlays() {
    local kubectl overlays overlay secret
    kubectl=$(tool kubectl)
    mkdir -p "$work/tree/deploy/grafana" "$1"
    cp -r k8s "$work/tree/k8s"
    cp -r deploy/grafana/dashboards "$work/tree/deploy/grafana/dashboards"
    overlays=$work/tree/k8s/overlays

    # Overlays make Secrets of files that are not in the repository.
    for overlay in "$overlays"/*/; do
        mkdir -p "$overlay/secrets"
        for secret in $(sed -n 's/^ *- \(secrets\/.*\)/\1/p' "$overlay/kustomization.yaml"); do
            echo placeholder >"$overlay/$secret"
        done
    done

    cp -r "$overlays/production" "$overlays/variant"
    cp -r "$overlays/variant/lanes/big" "$overlays/variant/lanes/very-big"
    sed -i 's/name: big/name: very-big/' "$overlays/variant/lanes/very-big/lane.yaml"
    sed -i 's|/keda$|/hpa|' "$overlays"/variant/kustomization.yaml "$overlays"/variant/lanes/*/kustomization.yaml
    sed -i 's|lanes/big|&\n  - lanes/very-big|; s|^components:|&\n  - ../../components/tracing|' "$overlays/variant/kustomization.yaml"

    for overlay in "$overlays"/*/; do
        "$kubectl" kustomize "$overlay" >"$1/$(basename "$overlay").yaml"
    done
}
