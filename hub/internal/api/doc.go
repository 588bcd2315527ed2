// Package api serves the hub API: processes pull tokens, administrators do what
// the pages do. The OpenAPI 3.1 document is generated from the types of this
// package and served at /api/v1/openapi.json.
//
// Every error is a problem document (RFC 9457) whose kind says who has to act.
// Nothing that it holds is secret, and no reply may be cached by anyone.
package api
