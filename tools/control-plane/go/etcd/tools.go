//go:build tools

// Package tools keeps the command below in go.mod, so that it builds from pinned, checksummed sources.
package tools

import _ "go.etcd.io/etcd/server/v3"
