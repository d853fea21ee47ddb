//go:build tools

// Package tools names the programs that the sandbox builds from this module, so that go.mod and go.sum pin them.
package tools

import _ "github.com/coredns/coredns"
