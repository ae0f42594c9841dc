"""Trainers: one skill at a time, against a real department. A round is made from its seed, answered by a person, then
done for real in the trainer's own lab, and compared. What is right is what happened."""
