// Package definition makes providers of documents: a service that follows the RFCs well
// enough is described in YAML, without a line of code.
//
// # The walk
//
// Parse reads a document. It is checked against the published JSON Schema (schema.json)
// and then against rules that a schema cannot state (check.go): each problem has its line
// and says, in English and Russian, what to write instead. What decides renewal has its
// evidence (evidence.go): a fact without any is a problem, an unverified one becomes a
// notice for the administrator.
//
// Definition.Describe is the provider's description (describe.go). Definition.Provider
// serves it: for the length of one operation, addresses and parameters have their
// placeholders filled in (template.go) and make an oauth.Config, whose provider does the
// rest (provider.go). Definition.Fixtures are what the conformance suite tests it with,
// replies of the service among them (fixtures.go).
package definition
