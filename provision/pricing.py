"""AWS's list prices by region, in USD, without tax.

Source: AWS's pricing pages for Elastic Load Balancing, Amazon VPC (public IPv4), AWS Fargate, Route 53,
CloudWatch Logs, Amazon S3 (PUT requests) and AWS WAF, as quoted by third parties in 2024 and 2025 (AS_OF).
Other regions use Tokyo's prices, with a note in the output.
"""

from dataclasses import dataclass

HOURS = 730  # a month, as in AWS's pricing calculator
AS_OF = "2025"
YEN = 155  # to the dollar: a rate to estimate with, which the sentences name; not a quotation


@dataclass(frozen=True)
class Prices:
    """The prices of one region. exact: False for Tokyo's prices in another region."""

    load_balancer_hour: float = 0.0243
    load_balancer_unit_hour: float = 0.008
    public_ipv4_hour: float = 0.005
    vcpu_hour: float = 0.05056
    memory_gb_hour: float = 0.00553
    spot_share: float = 0.3  # of the on-demand price; it varies
    hosted_zone_month: float = 0.50
    put_request: float = 0.0047 / 1000
    web_acl_month: float = 5.00
    web_acl_rule_month: float = 1.00
    exact: bool = True

    def task_hour(self, cpu: int, memory: int, capacity: str) -> float:
        """Return the hourly price of a Fargate task and its public IPv4 address. cpu: units; memory: MiB."""
        compute = cpu / 1024 * self.vcpu_hour + memory / 1024 * self.memory_gb_hour
        return compute * (self.spot_share if capacity == "spot" else 1) + self.public_ipv4_hour

    def load_balancer_month(self, zones: int) -> float:
        """Return the monthly price of a load balancer and its public IPv4 addresses, without traffic."""
        return HOURS * (self.load_balancer_hour + zones * self.public_ipv4_hour)

    def log_files_month(self, zones: int) -> float:
        """Return the monthly price of storing one access log file per zone every five minutes."""
        return HOURS * 12 * zones * self.put_request

    def fixed_month(self, zones: int) -> float:
        """Return what is paid whether a task runs or not: load balancer, addresses and hosted zone."""
        return self.load_balancer_month(zones) + self.hosted_zone_month


REGIONS = {
    "ap-northeast-1": Prices(),
    "us-east-1": Prices(0.0225, 0.008, 0.005, 0.04048, 0.004445, 0.3, 0.50, 0.005 / 1000),
}


def yen(usd: float) -> str:
    """Return an amount of USD in yen, as a person reads it: from ten yen on, rounded to ten."""
    amount = usd * YEN
    return f"{round(amount, -1 if amount >= 10 else 0):,.0f}"


def prices(region: str) -> Prices:
    """Return the region's prices, or Tokyo's."""
    return REGIONS.get(region, Prices(exact=False))
