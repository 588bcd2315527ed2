package providertest

import "context"

// check is one promise of the contract. prove returns what broke it.
type check struct {
	// name is the subtest's, and the key of Config.Gaps.
	name    string
	promise string
	prove   func(ctx context.Context, s *suite) error
}

// checks are all of them.
var checks = []check{
	{
		"description", "a description is complete, in both languages, and claims what is served",
		proveDescription,
	},
	{
		"authorization-address", "the address of the authorization endpoint has state and PKCE, no secret, and a declared host",
		proveAuthCodeURL,
	},
	{
		"one-request", "an operation makes exactly one token request and returns its tokens",
		proveOneRequest,
	},
	{
		"lifetime", "the life that a reply gives is the token's, neither dropped nor multiplied",
		proveLifetime,
	},
	{
		"small-extra", "the extra fields of a token set are at most 64 KiB",
		proveSmallExtra,
	},
	{
		"no-retry", "a token request that failed is never sent again: codes and rotated refresh tokens are good once",
		proveNoRetry,
	},
	{
		"outage", "5xx, 429 and lost replies are never ReauthorizationRequired: an outage must not end a grant",
		proveOutage,
	},
	{
		"retry-after", "429 is Transient and hands on Retry-After",
		proveRetryAfter,
	},
	{
		"malformed-reply", "a reply that is malformed never gives a token and never ends a grant",
		proveMalformed,
	},
	{
		"who-has-to-act", "invalid_client is Blocked, so that a wrong secret cannot kill a grant, and invalid_grant is ReauthorizationRequired",
		proveKinds,
	},
	{
		"no-secret-in-errors", "errors hold no secret, even if the service echoes it",
		proveErrorsAreClean,
	},
	{
		"no-secret-in-logs", "logs hold no secret",
		proveLogsAreClean,
	},
	{
		"declared-hosts", "requests go to declared hosts only, and client_secret to those that may see it",
		proveHosts,
	},
	{
		"hostile-callback", "what came through the browser cannot lead a secret to another host",
		proveHostileCallback,
	},
	{
		"cancellation", "an operation returns as soon as its context ends",
		proveCancellation,
	},
	{
		"replay", "an operation that is run again with journaled replies makes the same requests and has the same result",
		proveReplay,
	},
	{
		"concurrency", "operations run side by side without mixing",
		proveConcurrency,
	},
}
