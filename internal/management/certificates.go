package management

import (
	"strconv"
	"time"
)

// checkCertificates passes when no certificate of a listener expires soon.
func checkCertificates(q *request) error {
	within, err := strconv.Atoi(q.param("within"))
	if err != nil || within < 0 || within > 1000 {
		return badRequest("Invalid expiration value.")
	}
	var until time.Time
	switch now := time.Now(); q.param("unit") {
	case "day", "days":
		until = now.AddDate(0, 0, within)
	case "week", "weeks":
		until = now.AddDate(0, 0, 7*within)
	case "month", "months":
		until = now.AddDate(0, within, 0)
	case "year", "years":
		until = now.AddDate(within, 0, 0)
	default:
		return badRequest(
			"Time unit not recognised. Supported units: days, weeks, months, years.")
	}
	var expiring []map[string]any
	for _, l := range q.h.o.Node().Listeners {
		if !l.TLS || l.NotAfter.IsZero() || l.NotAfter.After(until) {
			continue
		}
		expiring = append(expiring, map[string]any{
			"node": q.h.o.Node().Name, "protocol": l.Protocol, "interface": l.IP, "port": l.Port,
			"certificates_expire_on": []string{l.NotAfter.UTC().Format(time.RFC3339)},
		})
	}
	if expiring != nil {
		return q.unhealthy("Certificates expiring", "expired", expiring)
	}
	return q.healthy()
}
