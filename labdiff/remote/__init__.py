"""A bench that is elsewhere: served by the laboratory's computer, used from another as if it were here."""
