package providertest

import "context"

// check is one promise of the contract. run returns what broke it.
type check struct {
	// name is the subtest's, and the key of Config.Gaps.
	name    string
	promise string
	run     func(ctx context.Context, s *suite) error
}

// checks are all of them.
var checks = []check{
	{
		"description", "a description is complete, in both languages, and claims what is served",
		checkDescription,
	},
	{
		"authorization-address", "the address of the authorization endpoint has state and PKCE, no secret, and a declared host",
		checkAuthCodeURL,
	},
	{
		"one-request", "an operation makes exactly one token request and returns its tokens",
		checkOneRequest,
	},
	{
		"lifetime", "the life that a reply gives is the token's, neither dropped nor multiplied",
		checkLifetime,
	},
	{
		"small-extra", "the extra fields of a token set are at most 64 KiB",
		checkSmallExtra,
	},
	{
		"parts", "an authorization brings declared parts only, other operations none, and each part is renewed by itself",
		checkParts,
	},
	{
		"no-retry", "a token request that failed is never sent again: codes and rotated refresh tokens are good once",
		checkNoRetry,
	},
	{
		"outage", "5xx, 429 and lost replies are never ReauthorizationRequired: an outage must not end a grant",
		checkOutage,
	},
	{
		"retry-after", "429 is Transient and hands on Retry-After",
		checkRetryAfter,
	},
	{
		"malformed-reply", "a reply that is malformed never gives a token and never ends a grant",
		checkMalformed,
	},
	{
		"who-has-to-act", "invalid_client is Blocked, so that a wrong secret cannot kill a grant, and invalid_grant is ReauthorizationRequired",
		checkKinds,
	},
	{
		"no-secret-in-errors", "errors hold no secret, even if the service echoes it",
		checkErrorsAreClean,
	},
	{
		"no-secret-in-logs", "logs hold no secret",
		checkLogsAreClean,
	},
	{
		"declared-hosts", "requests go to declared hosts only, and client_secret to those that may see it",
		checkHostUse,
	},
	{
		"hostile-callback", "what came through the browser cannot lead a secret to another host",
		checkHostileCallback,
	},
	{
		"cancellation", "an operation returns as soon as its context ends",
		checkCancellation,
	},
	{
		"replay", "an operation that is run again with journaled replies makes the same requests and has the same result",
		checkReplay,
	},
	{
		"concurrency", "operations run side by side without mixing",
		checkConcurrency,
	},
}
