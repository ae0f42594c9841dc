"""Practising with questions, and the exam simulation: drawing, the paper, invigilating, judging, results.

Rules are pure functions with seed and moment handed in; only ``invigilator``, ``judging`` and ``training`` know the
console's database and labs. It is independent practice and no certifying body's.
"""
