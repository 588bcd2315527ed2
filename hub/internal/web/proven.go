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
	// proofPage asks people to show once more that it is them.
	proofPage = "/login/confirm"
	// provedKey is where a request has when its person has last shown a password, a passkey
	// or a code, or has signed in anew at the sign-in service.
	provedKey = "proved-at"
	// proofLife is how long that counts for what a session alone must not do.
	proofLife = 5 * time.Minute
)

// hasProof reports whether they have within the last minutes.
func (k *kit) hasProof(c *gin.Context) bool {
	age := time.Since(c.GetTime(provedKey))
	return age >= -proofLife && age < proofLife
}

// proven lets an act through whose person has shown within the last minutes that it is
// them: a session alone, which may have been left open or stolen, does not change what
// somebody logs in with, make keys that may do everything, or move grants to other hosts.
// Others are led to a page that asks for it, and back here with what they entered.
func (k *kit) proven(c *gin.Context) {
	if !k.needProof(c) {
		c.Abort()
	}
}

// needProof is proven for a handler: false if the request is answered.
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

// scripted are the acts that the script of passkeys asks for.
var scripted = []string{"/settings/passkeys/begin", "/settings/passkeys/finish"}
