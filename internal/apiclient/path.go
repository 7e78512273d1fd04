package apiclient

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
)

// Path puts a path together: each part is escaped, so that the vhost "/" is "%2F". A trailing
// empty part is kept: the default exchange has no name.
func Path(parts ...string) string {
	var path strings.Builder
	for _, part := range parts {
		path.WriteByte('/')
		path.WriteString(escape(part))
	}
	return path.String()
}

// escape leaves only what every server takes as it is in a segment. A segment of dots alone
// would be taken for a way up.
func escape(part string) string {
	const hex = "0123456789ABCDEF"
	dots := strings.Trim(part, ".") == ""
	var out strings.Builder
	for i := range len(part) {
		b := part[i]
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9',
			b == '-', b == '_', b == '~', b == '.' && !dots:
			out.WriteByte(b)
		default:
			out.Write([]byte{'%', hex[b>>4], hex[b&15]})
		}
	}
	return out.String()
}

// WithQuery adds a query to a path; an empty one adds nothing.
func WithQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// PageSize is how many items Pages asks for at once: the most that RabbitMQ gives.
const PageSize = 500

// Page is an answer of the API with a part of a list.
type Page[T any] struct {
	FilteredCount int `json:"filtered_count"`
	ItemCount     int `json:"item_count"`
	Items         []T `json:"items"`
	Page          int `json:"page"`
	PageCount     int `json:"page_count"`
	PageSize      int `json:"page_size"`
	TotalCount    int `json:"total_count"`
}

// Pages asks for a list page by page and yields its items; an error ends it. Only lists that
// RabbitMQ pages may be asked for: connections, channels, exchanges, queues.
func Pages[T any](
	ctx context.Context, c *Client, path string, query url.Values,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		asked := url.Values{}
		for key, values := range query {
			asked[key] = values
		}
		asked.Set("page_size", strconv.Itoa(PageSize))
		for number := 1; ; number++ {
			asked.Set("page", strconv.Itoa(number))
			var page Page[T]
			if err := c.Get(ctx, WithQuery(path, asked), &page); err != nil {
				if number > 1 && Status(err) == 400 {
					return // the list got shorter: there is no such page any more
				}
				yield(none, fmt.Errorf("page %d: %w", number, err))
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if number >= page.PageCount {
				return
			}
		}
	}
}
