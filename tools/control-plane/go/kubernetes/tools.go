//go:build tools

// Package tools keeps the commands below in go.mod, so that they build from pinned, checksummed sources.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
