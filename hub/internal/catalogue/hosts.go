package catalogue

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

var hostNameRE = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,251}[a-zA-Z0-9])?$`)

// checkPrivateHosts requires names or addresses, with an optional port.
func (e *InvalidError) checkPrivateHosts(hosts []string) {
	for _, entry := range hosts {
		name, _, err := net.SplitHostPort(entry)
		if err != nil {
			name = strings.Trim(entry, "[]")
		}
		if _, err := netip.ParseAddr(name); err != nil && !hostNameRE.MatchString(name) {
			e.add("private_hosts", "Write names or addresses of hosts, for example crm.lan or 10.0.0.5:8443; "+entry+" is none.",
				"Укажите имена или адреса узлов, например crm.lan или 10.0.0.5:8443; "+entry+" — не адрес.")
			return
		}
	}
}

// notAllowed is the problem of a host in a private network.
func notAllowed(private *egress.PrivateError) error {
	invalid := &InvalidError{}
	invalid.add("private_hosts",
		private.Host+" is in a private network ("+private.Address+"). If this service really is inside your network, write the host here.",
		private.Host+" находится в частной сети ("+private.Address+"). Если этот сервис действительно в вашей сети, укажите узел здесь.")
	return invalid
}

// beyond are the hosts that a provider named for one service beyond what was
// approved with the plugin. Plugins of the folder are the operator's own.
func (c *Catalogue) beyond(d provider.Description, svc service.Service, hosts []provider.Host) (more []string) {
	if !c.host.Installed(d.Name) {
		return nil
	}
	for _, h := range hosts {
		declared := slices.ContainsFunc(d.Hosts, func(own provider.Host) bool { return own.Pattern == h.Pattern && (own.ClientSecret || !h.ClientSecret) })
		if !declared && !slices.Contains(svc.ApprovedHosts, h.Pattern) && !slices.Contains(more, h.Pattern) {
			more = append(more, h.Pattern)
		}
	}
	return more
}

// ApprovedHostsField names the problem whose remedy is to approve hosts.
const ApprovedHostsField = "approved_hosts"

func notApproved(hosts []string) error {
	list := strings.Join(hosts, ", ")
	invalid := &InvalidError{Hosts: hosts}
	invalid.add(ApprovedHostsField, "For this service the plugin also wants to talk to "+list+". Approve that if you know these hosts.",
		"Для этого сервиса плагин обращается также к узлам: "+list+". Разрешите это, если вы знаете эти узлы.")
	return invalid
}
