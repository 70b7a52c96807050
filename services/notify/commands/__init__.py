"""What notify does: keeps copies, tells people, queues mails."""
