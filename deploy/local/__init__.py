"""Servers of the developer's own machine: real PostgreSQL and RabbitMQ, private to one checkout, without containers.

Nothing here is needed in production. `packages` gets what the system lacks, `postgres` and `rabbitmq` start and stop
the two servers, `processes` makes sure that nothing outlives the program that started them.
"""
