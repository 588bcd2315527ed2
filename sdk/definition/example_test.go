package definition_test

import (
	"fmt"

	"github.com/evergrant/evergrant/sdk/definition"
)

// A document becomes a provider; a mistake in it is told with its line.
func ExampleParse() {
	document := `definition: 1
name: acme
version: 2026-12-01
title: { en: Acme, ru: Акме }
authorization:
  url: https://acme.example/authorize
token:
  url: https://acme.example/token
renewal:
  auto: refresh_token
evidence:
  token: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
`
	_, err := definition.Parse([]byte(document))
	fmt.Println(err)
	d, err := definition.Parse([]byte(document + `  renewal: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }` + "\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Describe().Grants, d.Proven())
	// Output:
	// line 10: renewal.auto This decides renewal and has no evidence: add it under evidence, as renewal.auto or for all of renewal.
	// [authorization_code refresh] true
}
