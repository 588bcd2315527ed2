package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

const (
	// proofPage is the page for a fresh proof of identity.
	proofPage = "/login/confirm"
	// provedKey is the key of a request for the time of the last proof: a password, a passkey
	// or a code, or a new sign-in at the sign-in service.
	provedKey = "proved-at"
	// proofLife is how long a proof is valid for acts that a session alone must not do.
	proofLife = 5 * time.Minute
)

// hasProof reports whether the person has given a proof within proofLife.
func (k *kit) hasProof(c *gin.Context) bool {
	age := time.Since(c.GetTime(provedKey))
	return age >= -proofLife && age < proofLife
}

// proven admits an act whose person has given a proof of identity within proofLife. A session
// alone, which may be stolen or left open, must not change credentials, create keys with every
// right, or move grants to other hosts. Without a proof the request is redirected to the page
// for one, which returns here with the form as it was entered.
func (k *kit) proven(c *gin.Context) {
	if !k.needProof(c) {
		c.Abort()
	}
}

// needProof is proven for use in a handler; false if it has answered the request.
func (k *kit) needProof(c *gin.Context) bool {
	if k.hasProof(c) {
		return true
	}
	query := url.Values{"return_to": {k.pageOf(c.Request)}}
	if c.Request.Method != http.MethodGet {
		query.Set("ended", "1") // the browser keeps what was entered: evergrant.js
	}
	target := proofPage + "?" + query.Encode()
	switch {
	case slices.Contains(scripted, c.FullPath()):
		c.JSON(http.StatusForbidden, gin.H{"problem": i18n.T(c.Request.Context(), "proof.title"), "to": k.base + target})
	case inPart(c):
		c.Header("HX-Redirect", localPath(target))
		c.Status(http.StatusForbidden)
	default:
		back(c, target)
	}
	return false
}

// scripted are the acts that the script of passkeys requests.
var scripted = []string{"/settings/passkeys/begin", "/settings/passkeys/finish"}
