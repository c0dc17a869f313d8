"""All that is compared, in the order of the tables."""

from .beanstalkd import Beanstalkd
from .etcd import Etcd
from .jobboard import Jobboard
from .limit import Limit
from .nats import Nats
from .postgresql import PostgreSQL, PostgreSQLSingle
from .rabbitmq import RabbitMQ
from .redis import Redis, RedisSingle
from .zookeeper import ZooKeeper

US = Jobboard
PEERS = (Limit, Etcd, ZooKeeper, Nats, RabbitMQ, Redis, RedisSingle, PostgreSQL, PostgreSQLSingle, Beanstalkd)
