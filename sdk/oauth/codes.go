package oauth

import "github.com/evergrant/evergrant/sdk/provider"

// kinds is what error codes mean at a token endpoint, in lower case: those of the
// RFCs, and those that services in wide use say in their place.
var kinds = map[string]provider.Kind{
	// RFC 6749 section 5.2
	"invalid_grant":          provider.ReauthorizationRequired,
	"invalid_client":         provider.Blocked,
	"unauthorized_client":    provider.Blocked,
	"unsupported_grant_type": provider.Blocked,
	"invalid_scope":          provider.Blocked,
	// RFC 6749 section 4.1.2.1
	"access_denied":             provider.Denied,
	"unsupported_response_type": provider.Blocked,
	"server_error":              provider.Transient,
	"temporarily_unavailable":   provider.Transient,
	// RFC 6750 section 3.1
	"insufficient_scope": provider.Blocked,
	// RFC 8628 section 3.5
	"authorization_pending": provider.Transient,
	"slow_down":             provider.Transient,
	"expired_token":         provider.ReauthorizationRequired,
	// RFC 8707 section 2
	"invalid_target": provider.Blocked,
	// OpenID Connect Core section 3.1.2.6
	"interaction_required":       provider.ReauthorizationRequired,
	"login_required":             provider.ReauthorizationRequired,
	"consent_required":           provider.ReauthorizationRequired,
	"account_selection_required": provider.ReauthorizationRequired,

	// A refresh token that is over, in other words than invalid_grant. Each names the
	// refresh token or the grant, so that no living one can be meant.
	"bad_refresh_token":           provider.ReauthorizationRequired, // GitHub, HubSpot
	"invalid_refresh_token":       provider.ReauthorizationRequired, // Slack
	"refresh_token_invalid":       provider.ReauthorizationRequired,
	"refresh_token_expired":       provider.ReauthorizationRequired,
	"expired_refresh_token":       provider.ReauthorizationRequired,
	"refresh_token_revoked":       provider.ReauthorizationRequired,
	"revoked_refresh_token":       provider.ReauthorizationRequired,
	"refresh_token_not_found":     provider.ReauthorizationRequired,
	"refresh_token_already_used":  provider.ReauthorizationRequired,
	"refresh_token_reused":        provider.ReauthorizationRequired,
	"unknown_refresh_token":       provider.ReauthorizationRequired,
	"token_revoked":               provider.ReauthorizationRequired, // Slack
	"grant_revoked":               provider.ReauthorizationRequired,
	"grant_expired":               provider.ReauthorizationRequired,
	"grant_not_found":             provider.ReauthorizationRequired,
	"authorization_revoked":       provider.ReauthorizationRequired,
	"authorization_expired":       provider.ReauthorizationRequired,
	"consent_revoked":             provider.ReauthorizationRequired,
	"consent_expired":             provider.ReauthorizationRequired,
	"reauthorization_required":    provider.ReauthorizationRequired,
	"reauthentication_required":   provider.ReauthorizationRequired,
	"invalid_rapt":                provider.ReauthorizationRequired, // Google
	"account_inactive":            provider.ReauthorizationRequired, // Slack
	"invalid_refresh_token_error": provider.ReauthorizationRequired,

	// A code that is not good any more.
	"bad_verification_code":        provider.ReauthorizationRequired, // GitHub
	"invalid_code":                 provider.ReauthorizationRequired, // Slack, Zoho: also of refresh tokens
	"code_already_used":            provider.ReauthorizationRequired, // Slack
	"code_expired":                 provider.ReauthorizationRequired,
	"bad_auth_code":                provider.ReauthorizationRequired, // HubSpot
	"invalid_authorization_code":   provider.ReauthorizationRequired,
	"authorization_code_expired":   provider.ReauthorizationRequired,
	"invalid_verification_code":    provider.ReauthorizationRequired,
	"authorization_code_not_found": provider.ReauthorizationRequired,

	// The client, its secret or its registration.
	"redirect_uri_mismatch":            provider.Blocked,
	"bad_redirect_uri":                 provider.Blocked, // Slack
	"incorrect_client_credentials":     provider.Blocked, // GitHub
	"bad_client_secret":                provider.Blocked, // Slack
	"bad_client_id":                    provider.Blocked, // HubSpot
	"invalid_client_id":                provider.Blocked, // Slack
	"invalid_client_secret":            provider.Blocked, // Zoho
	"invalid_client_credentials":       provider.Blocked,
	"client_not_found":                 provider.Blocked,
	"application_suspended":            provider.Blocked, // GitHub
	"invalid_redirect_uri":             provider.Blocked,
	"oauth_authorization_url_mismatch": provider.Blocked,
	"payment_required":                 provider.Blocked,

	// Haste: what all of these say passes.
	"ratelimited":             provider.Transient, // Slack
	"rate_limited":            provider.Transient,
	"rate_limit":              provider.Transient,
	"rate_limits":             provider.Transient, // HubSpot
	"rate_limit_exceeded":     provider.Transient,
	"too_many_requests":       provider.Transient,
	"throttled":               provider.Transient,
	"request_throttled":       provider.Transient,
	"quota_exceeded":          provider.Transient,
	"internal_error":          provider.Transient,
	"internal_server_error":   provider.Transient,
	"service_unavailable":     provider.Transient,
	"service_not_available":   provider.Transient,
	"fatal_error":             provider.Transient, // Slack
	"request_timeout":         provider.Transient,
	"concurrent_request":      provider.Transient,
	"concurrent_refresh":      provider.Transient,
	"transaction_in_progress": provider.Transient,
}

// vague are codes by which services say anything: the words beside them decide.
var vague = []string{
	"invalid_request", "invalid_token", "bad_request", "unauthorized", "forbidden", "error", "failure", "failed", "invalid", "oauthexception",
	"invalid_parameter", "validation_error",
}

// early are codes of services that renew a token only after its end.
var early = []string{
	"token_not_expired", "refresh_too_early", "too_early", "access_token_not_expired", "token_still_valid", "token_is_still_valid",
	"not_expired",
}
