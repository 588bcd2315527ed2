package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
	"rsc.io/qr"

	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// devicePage ends the addresses of pages with the code of a device authorization.
const devicePage = "/device"

// deviceRefresh is how often such a page loads itself again, in seconds.
const deviceRefresh = "5"

// departOnDevice begins a device authorization and shows its code.
func (p *grantPages) departOnDevice(c *gin.Context, way grants.Way, conn connection.Connection) {
	_, err := p.grants.StartDevice(c.Request.Context(), conn.Name, way)
	if cause, is := errors.AsType[*provider.Error](err); is {
		p.flash(c, view.Flash{Key: "flash.not_started", Name: conn.Title, Said: cause.Error(), Bad: true})
		back(c, way.ReturnTo)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/connections/"+url.PathEscape(conn.Name)+devicePage)
}

// device shows the code of a connection, or how its device authorization ended.
func (p *grantPages) device(c *gin.Context) {
	d, err := p.grants.Device(c.Request.Context(), c.Param("name"))
	if errors.Is(err, store.ErrNotFound) && d.Connection.ID != "" {
		back(c, "/connections/"+url.PathEscape(d.Connection.Name))
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	at := "/connections/" + url.PathEscape(d.Connection.Name)
	p.showDevice(c, d, at+"/authorize", at)
}

// deviceOfLink is device for the browser that followed a link.
func (p *grantPages) deviceOfLink(c *gin.Context) {
	held := slices.DeleteFunc(append(browsers(c.Request), p.cookie(c, linkCookie)), func(b string) bool { return b == "" })
	d, err := p.grants.DeviceOfLink(c.Request.Context(), c.Param("token"), held...)
	if errors.Is(err, store.ErrNotFound) {
		p.refuseLink(c, authflow.ErrLinkSpent)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	again := ""
	if _, err := p.grants.Link(c.Request.Context(), c.Param("token")); err == nil {
		again = "/grant/" + url.PathEscape(c.Param("token"))
	}
	p.showDevice(c, d, again, "")
}

// followToDevice begins the device authorization of a link.
func (p *grantPages) followToDevice(ctx context.Context, c *gin.Context, browser string) {
	linked, err := p.grants.FollowToDevice(ctx, c.Param("token"), grants.Way{Browser: browser, Lang: i18n.Lang(ctx)})
	if cause, is := errors.AsType[*provider.Error](err); is {
		v := p.grantView(c, linked)
		v.Trouble = view.TroubleOf(cause)
		p.render(c, http.StatusBadGateway, page.Grant(p.shell(c, ""), v))
		return
	}
	if err != nil {
		p.refuseLink(c, err)
		return
	}
	p.setCookie(c, linkCookie, browser, linkCookiePath, browserCookieLife)
	back(c, "/grant/"+url.PathEscape(c.Param("token"))+devicePage)
}

// showDevice renders a device authorization; while it is pending the page loads itself
// again.
func (p *grantPages) showDevice(c *gin.Context, d grants.OnDevice, again, backTo string) {
	v := view.Device{
		Service: p.serviceRef(d.Service), Connection: d.Connection.Title, UserCode: d.Device.Started.UserCode, URL: d.Device.Started.VerificationURI,
		OpenURL: cmp.Or(d.Device.Started.VerificationURIComplete, d.Device.Started.VerificationURI), Until: d.Device.ExpiresAt, Others: d.Rivals, Again: again, Back: backTo,
	}
	if d.Device.State == authdb.DevicePending {
		c.Header("Refresh", deviceRefresh)
		if u, err := url.Parse(v.URL); err == nil {
			v.Host = u.Host
		}
		if code, err := qr.Encode(v.OpenURL, qr.M); err == nil {
			v.QR, v.Size = modules(code), code.Size
		}
	} else {
		v.Ended = deviceResult(d, v.Service)
	}
	c.Header("Cache-Control", "no-store")
	p.render(c, http.StatusOK, page.Device(p.shell(c, ""), v))
}

// deviceResult is how a device authorization ended.
func deviceResult(d grants.OnDevice, ref view.ServiceRef) *view.Result {
	end := d.Device.End
	r := &view.Result{Service: &ref, Connection: d.Connection.Title, Reason: end.Reason, Reference: end.Reference, Wanted: called(end.Wanted), Got: called(end.Got), Part: end.Part}
	switch d.Device.State {
	case authdb.DeviceAuthorized:
		r.Reason, r.Ends, r.EndsAt = "", !lasts(d.Connection), d.Connection.Tokens.ExpiresAt
	case authdb.DeviceExpired:
		r.Reason = "device_expired"
	}
	if r.Wanted == r.Got {
		r.Wanted, r.Got = withID(end.Wanted), withID(end.Got)
	}
	if end.Message != "" && d.Device.State == authdb.DeviceFailed {
		r.Cause = view.TroubleOf(&provider.Error{Kind: end.Kind, Code: end.Code, Message: end.Message})
	}
	return r
}
