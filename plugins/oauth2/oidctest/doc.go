// Package oidctest runs oidc-provider from npm, an authorization server of
// strangers, and plays the person at its pages. It needs Node.js and the packages
// that package-lock.json names; `make test` installs them.
package oidctest
