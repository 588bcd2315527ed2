package hub

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/api"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/web"
)

// Bounds of what a request brings, in bytes. Nothing is read before they are set.
const (
	// usualBody is for forms and documents of the API.
	usualBody = 1 << 20
	// strangersBody is for what needs no session and no key.
	strangersBody = 64 << 10
	// mostFields and mostField bound a stranger's form.
	mostFields = 64
	mostField  = 4 << 10
)

// largerBodies are the routes that take more.
var largerBodies = map[string]int64{
	"POST /connections/import/table": web.MaxTable + 1<<20,
	"POST /plugin-packages":          installer.MaxPackage + 1<<20,
	"POST /api/v1/plugin-packages":   installer.MaxPackage + 1<<20,
}

// BodyLimit is how much a route takes.
func (h *Hub) BodyLimit(method, route string) int64 {
	if most, ok := largerBodies[method+" "+route]; ok {
		return most
	}
	if h.pages.IsOpen(route) {
		return strangersBody
	}
	return usualBody
}

// bounded refuses what is too large before anything is done with it, and forms that no
// browser sends.
func (h *Hub) bounded(c *gin.Context) {
	if u := c.Request.URL; strings.Contains(u.RequestURI(), "%") && !isText(url.Values{u.Path: nil}, u.Query()) {
		h.refuse(c, http.StatusBadRequest, "The address holds what is no text")
		return
	}
	route := c.FullPath()
	most := h.BodyLimit(c.Request.Method, route)
	if c.Request.ContentLength > most {
		h.tooLarge(c, most)
		return
	}
	if c.Request.Body == nil || c.Request.Body == http.NoBody {
		return
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, most)
	if strings.HasPrefix(c.Request.URL.Path, "/api/") || largerBodies[c.Request.Method+" "+route] > 0 {
		return // huma reads it behind the key, and uploads are read as they come
	}
	switch err := parse(c.Request); {
	case isTooLarge(err):
		h.tooLarge(c, most)
	case err != nil:
		h.refuse(c, http.StatusBadRequest, "The form cannot be read")
	case h.pages.IsOpen(route) && !strings.HasPrefix(route, "/callback/") && !fits(c.Request.PostForm):
		h.tooLarge(c, mostField)
	case !isText(c.Request.PostForm):
		h.refuse(c, http.StatusBadRequest, "The form holds what is no text")
	}
}

// parse reads a form, if the body is one.
func parse(r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return nil //nolint:nilerr // it is no form; its handler rejects it
	case kind == "multipart/form-data":
		return r.ParseMultipartForm(usualBody)
	case kind == "application/x-www-form-urlencoded":
		return r.ParseForm()
	}
	return nil
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// fits reports whether a stranger's form is one of ours.
func fits(form url.Values) bool {
	fields := 0
	for name, values := range form {
		for _, value := range values {
			if fields++; fields > mostFields || len(name)+len(value) > mostField {
				return false
			}
		}
	}
	return true
}

// isText reports whether values can be kept in a database.
func isText(forms ...url.Values) bool {
	for _, form := range forms {
		for name, values := range form {
			for _, value := range append([]string{name}, values...) {
				if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
					return false
				}
			}
		}
	}
	return true
}

// tooLarge refuses a request and ends its connection: the rest is not read.
func (h *Hub) tooLarge(c *gin.Context, most int64) {
	c.Header("Connection", "close")
	h.refuse(c, http.StatusRequestEntityTooLarge, fmt.Sprintf("The request is larger than the %d bytes that are taken here", most))
}

func (h *Hub) refuse(c *gin.Context, status int, title string) {
	if strings.HasPrefix(c.Request.URL.Path, "/api/") {
		api.WriteProblem(c, status, title)
	} else {
		h.pages.Apart(c.Writer, c.Request, status)
	}
	c.Abort()
}
