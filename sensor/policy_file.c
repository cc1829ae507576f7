/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define BLANKS " \t\r\n"

static int say(const char *path, int line, const char *why)
{
	fprintf(stderr, "cleartap: %s, line %d: %s\n", path, line, why);
	return -EINVAL;
}

/* Room for one more. @return NULL: there is none. */
static struct scope_item *more(struct scope *s)
{
	struct scope_item *item = s->item;

	if (s->n == POLICY_ITEMS_MAX)
		return NULL;
	if (!(s->n & (s->n - 1)))
		item = realloc(item, (s->n ? 2 * (size_t)s->n : 1) * sizeof(*item));
	if (item)
		s->item = item;
	return item ? &item[s->n] : NULL;
}

static int read_line(struct policy *p, char *text, const char *path, int line)
{
	char *rest = text + strcspn(text, "#"), *word, *item;
	struct scope *s;
	struct scope_item *to;

	*rest = '\0';
	word = strtok_r(text, BLANKS, &rest);
	if (!word)
		return 0;
	item = strtok_r(NULL, BLANKS, &rest);
	s = !strcmp(word, "only") ? &p->only : !strcmp(word, "except") ? &p->except : NULL;
	if (!s)
		return say(path, line, "begin a line with only or except");
	if (!item || strtok_r(NULL, BLANKS, &rest))
		return say(path, line, "give one of " SCOPE_FORM);
	to = more(s);
	if (!to)
		return say(path, line, "too many items");
	if (scope_read(to, item, strlen(item)) < 0)
		return say(path, line, "give one of " SCOPE_FORM);
	s->n++;
	return 0;
}

static int read_file(struct policy *p, FILE *f, const char *path)
{
	char *text = NULL;
	size_t cap = 0;
	int line = 0, rc = 0;
	ssize_t n;

	while (!rc && (n = getline(&text, &cap, f)) >= 0) {
		line++;
		rc = memchr(text, '\0', (size_t)n) ? say(path, line, "this is no text") :
						     read_line(p, text, path, line);
	}
	free(text);
	if (!rc && ferror(f)) {
		rc = errno ? -errno : -EIO;
		fprintf(stderr, "cleartap: %s: %s\n", path, strerror(-rc));
	}
	return rc;
}

static int fill(struct policy *p, const char *path)
{
	FILE *f = fopen(path, "re");
	int rc = f ? 0 : -errno;

	if (rc) {
		fprintf(stderr, "cleartap: --policy %s: %s\n", path, strerror(-rc));
		return rc;
	}
	rc = read_file(p, f, path);
	fclose(f);
	return rc;
}

int policy_load(struct policy **out, const char *path)
{
	struct policy *p = calloc(1, sizeof(*p));
	int rc;

	*out = NULL;
	if (!p) {
		perror("cleartap: --policy");
		return -ENOMEM;
	}
	rc = fill(p, path);
	if (rc) {
		policy_free(p);
		return rc;
	}
	fprintf(stderr, "cleartap: policy %s: %u only, %u except\n", path, p->only.n, p->except.n);
	*out = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	free(p->only.item);
	free(p->except.item);
	free(p);
}
