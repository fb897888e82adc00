"""A simulated account in a process of its own, and what it holds, asked over HTTP."""

import json
import subprocess
import urllib.request
from urllib.parse import urlencode

from programs import program

# Long before any machine's clock, so that no run lies before the account's own day.
TODAY = "2025-06-02"

# Listing, key and query of each stream that is read by itself.
LISTINGS = {
    "users": ("/v1/users", {}),
    "groups": ("/v1/groups", {}),
    "enrollments": (
        "/v1/training/enrollments",
        {
            "include_campaign_id": "true",
            "include_store_purchase_id": "true",
            "include_employee_number": "true",
        },
    ),
    "campaigns": ("/v1/phishing/campaigns", {}),
    "security_tests": ("/v1/phishing/security_tests", {}),
    "training_campaigns": ("/v1/training/campaigns", {"exclude_percentages": "true"}),
    "store_purchases": ("/v1/training/store_purchases", {}),
    "policies": ("/v1/training/policies", {}),
}

KEYS = {
    "users": ("id",),
    "groups": ("id",),
    "group_members": ("group_id", "user_id"),
    "enrollments": ("enrollment_id",),
    "campaigns": ("campaign_id",),
    "security_tests": ("pst_id",),
    "security_test_recipients": ("pst_id", "recipient_id"),
    "risk_score_history": ("date",),
    "account": ("name",),
    "training_campaigns": ("campaign_id",),
    "store_purchases": ("store_purchase_id",),
    "policies": ("policy_id",),
    "group_risk_score_history": ("group_id", "date"),
    "user_risk_score_history": ("user_id", "date"),
}

# One request per group or person: off unless somebody selects them.
ON_REQUEST = ("group_risk_score_history", "user_risk_score_history")
DEFAULTS = tuple(name for name in KEYS if name not in ON_REQUEST)


class Simulator:
    """Lasts as long as the `with` block."""

    def __init__(self, users=60, tests=8, latency=0):
        self._command = [
            "node", program("knowbe4"), "simulate", "--port", "0", "--today", TODAY,
            "--users", str(users), "--tests", str(tests), "--latency", str(latency),
        ]  # fmt: skip

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator did not start: {' '.join(self._command)}")
        self.config = json.loads(line)
        self.url = self.config["api_url"]
        self.key = self.config["api_key"]
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def advance(self, days=1):
        """Lets days pass, as a user does it: with the command."""
        port = self.url.rsplit(":", 1)[1]
        flags = ["simulate", "--port", port, "--advance", str(days)]
        subprocess.run(
            ["node", program("knowbe4"), *flags], check=True, stdout=subprocess.DEVNULL, timeout=60
        )

    def requests(self):
        """Number of requests that the account has answered."""
        return self._get("/_simulator/status")["requests"]

    def truth(self, streams=DEFAULTS):
        """Rows of each stream by key, as the listing endpoints serve them."""
        return {name: by_key(name, self._rows(name)) for name in streams}

    def _rows(self, name):
        if name == "account":
            return [self._get("/v1/account")]
        if name == "risk_score_history":
            return self._get("/v1/account/risk_score_history?full=true")
        if name == "group_members":
            members = self._under("groups", "id", "/v1/groups/{}/members")
            return [{"group_id": group, "user_id": row["id"]} for group, row in members]
        if name == "security_test_recipients":
            path = "/v1/phishing/security_tests/{}/recipients"
            return [row for _, row in self._under("security_tests", "pst_id", path)]
        if name == "group_risk_score_history":
            return self._histories("groups", "group_id")
        if name == "user_risk_score_history":
            return self._histories("users", "user_id")
        path, query = LISTINGS[name]
        rows = self._pages(path, query)
        # The API has two names for this list, and serves it in another list at times.
        if name == "training_campaigns":
            rows = [
                {**row, "content": flat(row.get("content", row.get("modules")))} for row in rows
            ]
        return rows

    def _under(self, parent, key, path):
        return [
            (row[key], child)
            for row in self._rows(parent)
            for child in self._pages(path.format(row[key]), {})
        ]

    def _histories(self, parent, key):
        return [
            {key: row["id"], **day}
            for row in self._rows(parent)
            for day in self._get(f"/v1/{parent}/{row['id']}/risk_score_history?full=true")
        ]

    def _pages(self, path, query):
        rows, page = [], 1
        while True:
            found = self._get(f"{path}?{urlencode({**query, 'per_page': 500, 'page': page})}")
            if not found:
                return rows
            rows += found
            page += 1

    def _get(self, path):
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)


def flat(items):
    if items is None:
        return None
    return [inner for item in items for inner in (item if isinstance(item, list) else [item])]


def changed(before, after):
    """Number of rows of each stream that are new or say something else; streams without are left out."""
    counts = {
        name: sum(before[name].get(key) != row for key, row in rows.items())
        for name, rows in after.items()
    }
    return {name: count for name, count in counts.items() if count > 0}


def by_key(stream, rows):
    """Rows by their key; a row that comes twice is an error of whoever made them."""
    out = {}
    for row in rows:
        key = tuple(str(row[part] if part in row else row["id"]) for part in KEYS[stream])
        if key in out:
            raise ValueError(f"{stream}: {key} comes twice")
        out[key] = row
    return out
