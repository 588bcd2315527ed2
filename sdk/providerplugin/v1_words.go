package providerplugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The values of the contract's enumerations. What a value means that is not here, because
// the plugin was built for a later contract, is said at each enumeration of provider.proto
// and decided in v1WordsFrom.
var (
	grantsV1 = map[provider.Grant]providerv1.Grant{
		provider.GrantAuthorizationCode: providerv1.Grant_GRANT_AUTHORIZATION_CODE,
		provider.GrantRefresh:           providerv1.Grant_GRANT_REFRESH,
		provider.GrantClientCredentials: providerv1.Grant_GRANT_CLIENT_CREDENTIALS,
		provider.GrantAssertion:         providerv1.Grant_GRANT_ASSERTION,
		provider.GrantLogin:             providerv1.Grant_GRANT_LOGIN,
		provider.GrantStatic:            providerv1.Grant_GRANT_STATIC,
		provider.GrantIntrospect:        providerv1.Grant_GRANT_INTROSPECT,
		provider.GrantDevice:            providerv1.Grant_GRANT_DEVICE_CODE,
		provider.GrantRevoke:            providerv1.Grant_GRANT_REVOKE,
		provider.GrantIdentify:          providerv1.Grant_GRANT_IDENTIFY,
		provider.GrantPrepareService:    providerv1.Grant_GRANT_PREPARE_SERVICE,
	}
	autoRenewsV1 = map[provider.AutoRenew]providerv1.AutoRenew{
		"":                             providerv1.AutoRenew_AUTO_RENEW_UNSPECIFIED,
		provider.AutoRenewNone:         providerv1.AutoRenew_AUTO_RENEW_NONE,
		provider.AutoRenewRefreshToken: providerv1.AutoRenew_AUTO_RENEW_REFRESH_TOKEN,
		provider.AutoRenewProlong:      providerv1.AutoRenew_AUTO_RENEW_PROLONG,
		provider.AutoRenewExchange:     providerv1.AutoRenew_AUTO_RENEW_EXCHANGE,
		provider.AutoRenewReissue:      providerv1.AutoRenew_AUTO_RENEW_REISSUE,
		provider.AutoRenewSliding:      providerv1.AutoRenew_AUTO_RENEW_SLIDING,
	}
	rotationsV1 = map[provider.RotationKind]providerv1.Rotation{
		"":                                    providerv1.Rotation_ROTATION_UNSPECIFIED,
		provider.RotationNone:                 providerv1.Rotation_ROTATION_NONE,
		provider.RotationRotates:              providerv1.Rotation_ROTATION_ROTATES,
		provider.RotationRotatesRevokesAccess: providerv1.Rotation_ROTATION_ROTATES_AND_REVOKES_ACCESS,
		provider.RotationRotatesWithGrace:     providerv1.Rotation_ROTATION_ROTATES_WITH_GRACE,
	}
	renewWindowsV1 = map[provider.RenewWindowKind]providerv1.RenewWindow{
		"":                         providerv1.RenewWindow_RENEW_WINDOW_UNSPECIFIED,
		provider.RenewBeforeExpiry: providerv1.RenewWindow_RENEW_WINDOW_BEFORE_EXPIRY,
		provider.RenewAfterExpiry:  providerv1.RenewWindow_RENEW_WINDOW_AFTER_EXPIRY,
		provider.RenewOnDemand:     providerv1.RenewWindow_RENEW_WINDOW_ON_DEMAND,
	}
	pkcesV1 = map[provider.PKCE]providerv1.Pkce{
		"":                    providerv1.Pkce_PKCE_UNSPECIFIED,
		provider.PKCENone:     providerv1.Pkce_PKCE_NONE,
		provider.PKCES256:     providerv1.Pkce_PKCE_S256,
		provider.PKCERequired: providerv1.Pkce_PKCE_REQUIRED,
	}
	throttlesV1 = map[provider.Throttles]providerv1.Throttles{
		provider.ThrottlesUnknown: providerv1.Throttles_THROTTLES_UNSPECIFIED,
		provider.ThrottlesAccount: providerv1.Throttles_THROTTLES_ACCOUNT,
		provider.ThrottlesClient:  providerv1.Throttles_THROTTLES_CLIENT,
	}
	placementsV1 = map[provider.Placement]providerv1.Placement{
		"":                       providerv1.Placement_PLACEMENT_UNSPECIFIED,
		provider.PlacementHeader: providerv1.Placement_PLACEMENT_HEADER,
		provider.PlacementQuery:  providerv1.Placement_PLACEMENT_QUERY,
	}
	activitiesV1 = map[provider.Activity]providerv1.Activity{
		provider.ActivityUnknown: providerv1.Activity_ACTIVITY_UNSPECIFIED,
		provider.Active:          providerv1.Activity_ACTIVITY_ACTIVE,
		provider.Inactive:        providerv1.Activity_ACTIVITY_INACTIVE,
	}
	keyUsesV1 = map[provider.KeyUse]providerv1.KeyUse{
		"":                            providerv1.KeyUse_KEY_USE_UNSPECIFIED,
		provider.KeySignature:         providerv1.KeyUse_KEY_USE_SIGNATURE,
		provider.KeyClientCertificate: providerv1.KeyUse_KEY_USE_CLIENT_CERTIFICATE,
		provider.KeyDPoP:              providerv1.KeyUse_KEY_USE_DPOP,
	}
	keyOriginsV1 = map[provider.KeyOrigin]providerv1.KeyOrigin{
		"":                     providerv1.KeyOrigin_KEY_ORIGIN_UNSPECIFIED,
		provider.KeyFromHub:    providerv1.KeyOrigin_KEY_ORIGIN_HUB,
		provider.KeyImported:   providerv1.KeyOrigin_KEY_ORIGIN_IMPORTED,
		provider.KeyFromEither: providerv1.KeyOrigin_KEY_ORIGIN_EITHER,
	}
)

// wordOf finds the word of a wire value; ok is false for one that this contract does not
// have.
func wordOf[W comparable, E comparable](words map[W]E, value E) (word W, ok bool) {
	for w, e := range words {
		if e == value {
			return w, true
		}
	}
	return word, false
}

// valueOf is the wire value of a word. A word without one is a mistake of the author,
// which Validate names; it is not sent as if nothing had been said.
func valueOf[W ~string, E ~int32](field string, words map[W]E, word W) (E, error) {
	value, ok := words[word]
	if !ok {
		return 0, fmt.Errorf("%s is %q, must be one of %q", field, word, slices.Sorted(maps.Keys(words)))
	}
	return value, nil
}

// v1Words writes the enumerations of a description.
func v1Words(d *provider.Description, w *providerv1.Description) error {
	var errs [6]error
	w.AutoRenew, errs[0] = valueOf("auto_renew", autoRenewsV1, d.AutoRenew)
	w.Rotation, errs[1] = valueOf("rotation", rotationsV1, d.Rotation.Kind)
	w.RenewWindow, errs[2] = valueOf("renew_window", renewWindowsV1, d.RenewWindow.Kind)
	w.Pkce, errs[3] = valueOf("pkce", pkcesV1, d.PKCE)
	w.Throttles, errs[4] = valueOf("throttles", throttlesV1, d.Throttles)
	w.Api.In, errs[5] = valueOf("api.in", placementsV1, d.API.In)
	all := errs[:]
	for _, g := range d.Grants {
		grant, err := valueOf("grants", grantsV1, g)
		w.Grants, all = append(w.Grants, grant), append(all, err)
	}
	for _, a := range d.ClientAuth {
		grant, err := valueOf("client_auth.grant", grantsV1, a.Grant)
		w.ClientAuth, all = append(w.ClientAuth, &providerv1.ClientAuth{Grant: grant, Method: a.Method}), append(all, err)
	}
	for i, k := range d.Keys {
		var useErr, originErr error
		w.Keys[i].Use, useErr = valueOf("keys.use", keyUsesV1, k.Use)
		w.Keys[i].Origin, originErr = valueOf("keys.origin", keyOriginsV1, k.Origin)
		all = append(all, useErr, originErr)
	}
	return errors.Join(all...)
}

// v1WordsFrom reads the enumerations of a description. For a value of a later contract it
// takes the meaning that can cost no grant, and returns the field's name.
func v1WordsFrom(w *providerv1.Description, d *provider.Description) (unknown []string) {
	known := func(field string, ok bool) bool {
		if !ok && !slices.Contains(unknown, field) {
			unknown = append(unknown, field)
		}
		return ok
	}
	var ok bool
	if d.AutoRenew, ok = wordOf(autoRenewsV1, w.GetAutoRenew()); !known("auto_renew", ok) {
		d.AutoRenew = provider.AutoRenewNone
	}
	if d.Rotation.Kind, ok = wordOf(rotationsV1, w.GetRotation()); !known("rotation", ok) {
		d.Rotation = provider.Rotation{Kind: provider.RotationRotatesRevokesAccess}
	}
	if d.RenewWindow.Kind, ok = wordOf(renewWindowsV1, w.GetRenewWindow()); !known("renew_window", ok) {
		d.RenewWindow.Kind = provider.RenewBeforeExpiry
	}
	if d.PKCE, ok = wordOf(pkcesV1, w.GetPkce()); !known("pkce", ok) {
		d.PKCE = provider.PKCES256
	}
	if d.Throttles, ok = wordOf(throttlesV1, w.GetThrottles()); !known("throttles", ok) {
		d.Throttles = provider.ThrottlesUnknown
	}
	if d.API.In, ok = wordOf(placementsV1, w.GetApi().GetIn()); !known("api.in", ok) {
		d.API.In, d.TestCalls = "", nil
	}
	for _, g := range w.GetGrants() {
		if grant, ok := wordOf(grantsV1, g); known("grants", ok) {
			d.Grants = append(d.Grants, grant)
		}
	}
	for _, a := range w.GetClientAuth() {
		if grant, ok := wordOf(grantsV1, a.GetGrant()); known("client_auth", ok) {
			d.ClientAuth = append(d.ClientAuth, provider.ClientAuth{Grant: grant, Method: clean(a.GetMethod(), 100)})
		}
	}
	for _, k := range w.GetKeys() {
		use, ok := wordOf(keyUsesV1, k.GetUse())
		if !known("keys.use", ok) {
			continue // an operation that names it fails
		}
		origin, ok := wordOf(keyOriginsV1, k.GetOrigin())
		if !known("keys.origin", ok) {
			origin = provider.KeyFromEither
		}
		d.Keys = append(d.Keys, provider.Key{
			Name: k.GetName(), Use: use, Title: v1TextFrom(k.GetTitle()), Algorithms: k.GetAlgorithms(), Origin: origin,
			Steps: v1TextsFrom(k.GetSteps()), Optional: k.GetOptional(),
		})
	}
	return unknown
}

// newerWords is the notice about fields whose value is of a later contract.
func newerWords(fields []string) provider.Text {
	names := strings.Join(fields, ", ")
	return provider.Text{
		EN: "The plugin was built for a newer hub: this one does not know what it declares as " + names + ", and takes the most careful meaning. Update the hub.",
		RU: "Плагин собран для более новой версии хаба: эта не знает, что он объявляет в полях " + names + ", и выбирает самое осторожное толкование. Обновите хаб.",
	}
}
