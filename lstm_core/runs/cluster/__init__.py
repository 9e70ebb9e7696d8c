"""Runs that train on a Ray cluster: the same sessions, on other machines; their folders here stay the only state.

A run is wanted at an address (pool.want). One process of this machine, cluster.worker, takes such runs, sends each
folder to an actor of the cluster, where Session trains it, and brings back what changes in it. Only ray_cluster.py and
worker.py know Ray, and nothing else here needs it.
"""
